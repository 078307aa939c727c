-- Publications are few among many events, and listed from the ledger itself.

CREATE INDEX events_of_publications ON ledger.events (position) WHERE topic LIKE 'publication.%';
