"""A subscriber that knows nothing of Anjie but its AsyncAPI document, and needs kafka-python alone.

It prints how many open cases each unit holds, as JSON: made from the events up to a position, or, with
--view, as the topic of the view has it by now.

    curl -s http://127.0.0.1:8000/asyncapi.json > asyncapi.json
    python docs/subscriber.py localhost:9092 asyncapi.json --until 1200
    python docs/subscriber.py localhost:9092 asyncapi.json --view
"""

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kafka import KafkaConsumer, TopicPartition

Document = dict[str, Any]


def backlog_from_events(document: Document, servers: str, prefix: str, until: int) -> Counter[str]:
    """The open cases by holder once every event up to a position is known.

    What an event means for them is what its message says under `x-backlog`. The positions run without gaps
    over all partitions, so as many events as the position says are all of them.
    """
    channel = document["channels"]["anjie.events"]
    meanings = {
        name: resolved(document, message).get("x-backlog", {})
        for name, message in channel["messages"].items()
    }
    is_open: dict[str, bool] = {}
    holder: dict[str, str] = {}
    seen = 0
    records = read(channel, servers, prefix)
    while seen < until:
        record = next(records)
        headers = {name: value.decode() for name, value in record.headers}
        if int(headers["ce_position"]) > until:
            continue
        seen += 1
        case, data, means = record.key.decode(), json.loads(record.value), meanings[headers["ce_type"]]
        if "open" in means:
            is_open[case] = means["open"] in data if isinstance(means["open"], str) else means["open"]
        if means.get("holder") in data:
            holder[case] = data[means["holder"]]
    return Counter(holder[case] for case in is_open if is_open[case])


def backlog_from_view(document: Document, servers: str, prefix: str) -> Counter[str]:
    """The same as the view's topic has it: the last record of each key counts, none if it has no value."""
    channel = document["channels"]["anjie.views.backlog_by_holder"]
    rows = {record.key: record.value for record in read(channel, servers, prefix, to_the_end=True)}
    held = [json.loads(row) for row in rows.values() if row is not None]
    return Counter({row["unit_id"]: row["open"] for row in held})


def resolved(document: Document, reference: Document) -> Document:
    """What a reference of the document leads to."""
    place: Any = document
    for step in reference["$ref"].removeprefix("#/").split("/"):
        place = place[step]
    return dict(place)


def read(channel: Document, servers: str, prefix: str, *, to_the_end: bool = False) -> Iterator[Any]:
    """The committed records of a channel from its beginning: for ever, or up to where it ends now."""
    topic = prefix + channel["address"].removeprefix("anjie")
    with KafkaConsumer(
        bootstrap_servers=servers, isolation_level="read_committed", enable_auto_commit=False
    ) as consumer:
        partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)]
        consumer.assign(partitions)
        consumer.seek_to_beginning(*partitions)
        ends = consumer.end_offsets(partitions)
        while not to_the_end or any(consumer.position(each) < ends[each] for each in partitions):
            for records in consumer.poll(timeout_ms=500).values():
                yield from records


def main() -> None:
    parser = argparse.ArgumentParser(description="Print how many open cases each unit holds.")
    parser.add_argument("servers", help="host:port of a broker")
    parser.add_argument("document", type=Path, help="the AsyncAPI document, from /asyncapi.json")
    parser.add_argument("--prefix", default="anjie", help="as in ANJIE_KAFKA_PREFIX")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--until", type=int, metavar="POSITION", help="of the last event that counts")
    which.add_argument("--view", action="store_true", help="read the topic of the view instead")
    given = parser.parse_args()
    document = json.loads(given.document.read_text())
    if given.view:
        backlog = backlog_from_view(document, given.servers, given.prefix)
    else:
        backlog = backlog_from_events(document, given.servers, given.prefix, given.until)
    print(json.dumps(backlog, indent=1, sort_keys=True))


if __name__ == "__main__":
    main()
