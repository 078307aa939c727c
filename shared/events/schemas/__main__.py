"""Write the JSON Schemas and the reference page of events."""

from shared.events.schemas import FOLDER, REFERENCE, reference_page, schema_files

for old in FOLDER.glob("*.json"):
    old.unlink()
for name, text in schema_files().items():
    (FOLDER / name).write_text(text, encoding="utf-8")
REFERENCE.parent.mkdir(parents=True, exist_ok=True)
REFERENCE.write_text(reference_page(), encoding="utf-8")
