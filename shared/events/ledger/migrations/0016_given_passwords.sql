-- A password that somebody else gave is good for nothing but choosing another.

-- NULL: its owner chose it. The default stands for those that are there, and for accounts that a process
-- of the version before makes meanwhile.
ALTER TABLE runtime.accounts ADD COLUMN password_given_at timestamptz DEFAULT now();

UPDATE runtime.accounts a SET password_given_at = NULL
WHERE a.hash IS NULL OR (
    SELECT c.by_ref IS NOT DISTINCT FROM a.actor_ref FROM runtime.account_changes c
    WHERE c.account_id = a.account_id AND c.change IN ('ADDED', 'PASSWORD')
    ORDER BY c.change_id DESC LIMIT 1
);

ALTER TABLE runtime.account_changes
DROP CONSTRAINT account_changes_change_check,
ADD CONSTRAINT account_changes_change_check
CHECK (change IN ('ADDED', 'CHANGED', 'PASSWORD', 'CHOSEN', 'DISABLED', 'ENABLED'));
