"""The broker that the other tests of this suite trust: what it acknowledged survives its being killed."""

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.admin import NewTopic
from kafka.structs import TopicPartition

from infra.kafka.broker import Broker


def test_a_killed_broker_comes_back_with_what_it_acknowledged(broker: Broker) -> None:
    with KafkaAdminClient(bootstrap_servers=broker.bootstrap) as admin:
        admin.create_topics([NewTopic(name="kept", num_partitions=1, replication_factor=1)])
    with KafkaProducer(bootstrap_servers=broker.bootstrap, enable_idempotence=True) as producer:
        producer.send("kept", b"a").get(timeout=10)

    broker.kill()
    broker.start()

    with KafkaConsumer(bootstrap_servers=broker.bootstrap, auto_offset_reset="earliest") as consumer:
        consumer.assign([TopicPartition("kept", 0)])
        records = consumer.poll(timeout_ms=10_000)
    assert [record.value for records_of in records.values() for record in records_of] == [b"a"]
