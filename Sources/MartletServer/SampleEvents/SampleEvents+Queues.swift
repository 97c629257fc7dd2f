// Samples: messages and the changes of streams and tables, as event source mappings and topics pass them on.

extension SampleEvent {
  static let queues = [
    SampleEvent(
      "sqs", "message", "A message of a standard queue, in a batch of one.",
      [
        Field("queue", "my-queue", "Name of the queue."), Field("body", "Hello from SQS!", "Body of the message."),
        Field("attributes", "{}", "Message attributes as events have them, a JSON object."),
      ],
      #"""
      {"Records":[{"messageId":"{{uuid}}","receiptHandle":"{{hex64}}","body":"{{body}}",
       "attributes":{"ApproximateReceiveCount":"1","SentTimestamp":"{{now-milliseconds}}",
        "SenderId":"{{account}}","ApproximateFirstReceiveTimestamp":"{{now-milliseconds}}"},
       "messageAttributes":"{{attributes|json}}","md5OfBody":"{{body|md5}}","eventSource":"aws:sqs",
       "eventSourceARN":"arn:aws:sqs:{{region}}:{{account}}:{{queue}}","awsRegion":"{{region}}"}]}
      """#),
    SampleEvent(
      "sqs", "fifo-message", "A message of a FIFO queue, in a batch of one.",
      [
        Field("queue", "my-queue.fifo", "Name of the queue."), Field("body", "Hello from SQS!", "Body of the message."),
        Field("group", "1", "MessageGroupId."), Field("deduplication", "{{hex64}}", "MessageDeduplicationId."),
        Field("attributes", "{}", "Message attributes as events have them, a JSON object."),
      ],
      #"""
      {"Records":[{"messageId":"{{uuid}}","receiptHandle":"{{hex64}}","body":"{{body}}",
       "attributes":{"ApproximateReceiveCount":"1","SentTimestamp":"{{now-milliseconds}}",
        "SequenceNumber":"{{digits20}}","MessageGroupId":"{{group}}","SenderId":"{{account}}",
        "MessageDeduplicationId":"{{deduplication}}","ApproximateFirstReceiveTimestamp":"{{now-milliseconds}}"},
       "messageAttributes":"{{attributes|json}}","md5OfBody":"{{body|md5}}","eventSource":"aws:sqs",
       "eventSourceARN":"arn:aws:sqs:{{region}}:{{account}}:{{queue}}","awsRegion":"{{region}}"}]}
      """#),
    SampleEvent(
      "sns", "notification", "A message of a topic.",
      [
        Field("topic", "my-topic", "Name of the topic."), Field("message", "Hello from SNS!", "The message."),
        Field("subject", "", "The subject (default: none)."),
        Field("attributes", "{}", #"Message attributes, such as {"color":{"Type":"String","Value":"red"}}."#),
      ],
      #"""
      {"Records":[{"EventSource":"aws:sns","EventVersion":"1.0",
       "EventSubscriptionArn":"arn:aws:sns:{{region}}:{{account}}:{{topic}}:{{uuid}}",
       "Sns":{"Type":"Notification","MessageId":"{{uuid}}","TopicArn":"arn:aws:sns:{{region}}:{{account}}:{{topic}}",
        "Subject":"{{subject|optional}}","Message":"{{message}}","Timestamp":"{{now}}","SignatureVersion":"1",
        "Signature":"{{hex64|base64}}",
        "SigningCertUrl":"https://sns.{{region}}.amazonaws.com/SimpleNotificationService-{{hex32}}.pem",
        "UnsubscribeUrl":"https://sns.{{region}}.amazonaws.com/?Action=Unsubscribe&SubscriptionArn=arn:aws:sns:{{region}}:{{account}}:{{topic}}:{{uuid}}",
        "MessageAttributes":"{{attributes|json}}"}}]}
      """#),
    SampleEvent(
      "ses", "receive", "A mail that came in, passed on by a receipt rule.",
      [
        Field("from", "jane@example.com", "The sender."), Field("to", "johndoe@example.com", "The recipient."),
        Field("subject", "Test Subject", "The subject."), function,
      ],
      #"""
      {"Records":[{"eventSource":"aws:ses","eventVersion":"1.0","ses":{
       "mail":{"timestamp":"{{now}}","source":"{{from}}","messageId":"{{letters40}}","destination":["{{to}}"],
        "headersTruncated":false,
        "headers":[{"name":"From","value":"{{from}}"},{"name":"To","value":"{{to}}"},
         {"name":"Subject","value":"{{subject}}"}],
        "commonHeaders":{"returnPath":"{{from}}","from":["{{from}}"],"date":"{{now-http}}","to":["{{to}}"],
         "messageId":"<{{letters40}}@example.com>","subject":"{{subject}}"}},
       "receipt":{"timestamp":"{{now}}","processingTimeMillis":574,"recipients":["{{to}}"],
        "spamVerdict":{"status":"PASS"},"virusVerdict":{"status":"PASS"},"spfVerdict":{"status":"PASS"},
        "dkimVerdict":{"status":"PASS"},"dmarcVerdict":{"status":"PASS"},
        "action":{"type":"Lambda","functionArn":"arn:aws:lambda:{{region}}:{{account}}:function:{{function}}",
         "invocationType":"Event"}}}}]}
      """#),
  ]

  private static let tableFields = [
    Field("table", "my-table", "Name of the table."),
    Field("keys", #"{"Id":{"N":"101"}}"#, "Keys of the item, with their types."),
  ]

  static let streams = [
    SampleEvent(
      "kinesis", "record", "A record of a stream, in a batch of one.",
      [
        Field("stream", "my-stream", "Name of the stream."), Field("data", "Hello from Kinesis!", "The data, as text."),
        Field("partition-key", "1", "Partition key."), Field("shard", "shardId-000000000000", "Id of the shard."),
        Field("sequence", "4{{digits55}}", "Sequence number."),
      ],
      #"""
      {"Records":[{"kinesis":{"kinesisSchemaVersion":"1.0","partitionKey":"{{partition-key}}",
        "sequenceNumber":"{{sequence}}","data":"{{data|base64}}","approximateArrivalTimestamp":"{{now-decimal|json}}"},
       "eventSource":"aws:kinesis","eventVersion":"1.0","eventID":"{{shard}}:{{sequence}}",
       "eventName":"aws:kinesis:record","invokeIdentityArn":"arn:aws:iam::{{account}}:role/my-role",
       "awsRegion":"{{region}}","eventSourceARN":"arn:aws:kinesis:{{region}}:{{account}}:stream/{{stream}}"}]}
      """#),
    change(
      "insert", "INSERT", "A new item, with both images.",
      [Field("new", #"{"Id":{"N":"101"},"Message":{"S":"New item!"}}"#, "The item, with its types.")],
      #""NewImage":"{{new|json}}","StreamViewType":"NEW_AND_OLD_IMAGES""#),
    change(
      "modify", "MODIFY", "A changed item, with both images.",
      [
        Field("new", #"{"Id":{"N":"101"},"Message":{"S":"This item has changed"}}"#, "The item as it is."),
        Field("old", #"{"Id":{"N":"101"},"Message":{"S":"New item!"}}"#, "The item as it was."),
      ], #""NewImage":"{{new|json}}","OldImage":"{{old|json}}","StreamViewType":"NEW_AND_OLD_IMAGES""#),
    change(
      "remove", "REMOVE", "A deleted item, with both images.",
      [Field("old", #"{"Id":{"N":"101"},"Message":{"S":"This item has changed"}}"#, "The item as it was.")],
      #""OldImage":"{{old|json}}","StreamViewType":"NEW_AND_OLD_IMAGES""#),
    SampleEvent(
      "firehose", "transform", "Records that a delivery stream wants transformed.",
      [
        Field("stream", "my-delivery-stream", "Name of the delivery stream."),
        Field("data", "Hello from Firehose!", "The data of the record, as text."),
      ],
      #"""
      {"invocationId":"{{uuid}}","region":"{{region}}",
       "deliveryStreamArn":"arn:aws:firehose:{{region}}:{{account}}:deliverystream/{{stream}}",
       "records":[{"recordId":"4{{digits55}}","approximateArrivalTimestamp":"{{now-milliseconds|number}}",
        "data":"{{data|base64}}"}]}
      """#),
    SampleEvent(
      "kafka", "msk", "A record of a topic of Amazon MSK, in a batch of one.",
      kafkaFields,
      #"""
      {"eventSource":"aws:kafka",
       "eventSourceArn":"arn:aws:kafka:{{region}}:{{account}}:cluster/my-cluster/{{uuid}}-1",
       "bootstrapServers":"b-1.my-cluster.example.kafka.{{region}}.amazonaws.com:9092",
       "records":{"{{topic}}-0":[{"topic":"{{topic}}","partition":0,"offset":"{{offset|number}}",
        "timestamp":"{{now-milliseconds|number}}","timestampType":"CREATE_TIME","key":"{{key|base64}}",
        "value":"{{value|base64}}","headers":[]}]}}
      """#),
    SampleEvent(
      "kafka", "self-managed", "A record of a topic of your own cluster, in a batch of one.",
      kafkaFields,
      #"""
      {"eventSource":"SelfManagedKafka","bootstrapServers":"broker-1.example.com:9092",
       "records":{"{{topic}}-0":[{"topic":"{{topic}}","partition":0,"offset":"{{offset|number}}",
        "timestamp":"{{now-milliseconds|number}}","timestampType":"CREATE_TIME","key":"{{key|base64}}",
        "value":"{{value|base64}}","headers":[]}]}}
      """#),
  ]

  private static let kafkaFields = [
    Field("topic", "my-topic", "Name of the topic."), Field("key", "my-key", "Key of the record, as text."),
    Field("value", "Hello from Kafka!", "Value of the record, as text."), Field("offset", "15", "Offset."),
  ]

  private static func change(
    _ type: String, _ name: String, _ abstract: String, _ fields: [Field], _ images: String
  ) -> SampleEvent {
    SampleEvent(
      "dynamodb", type, abstract, tableFields + fields,
      #"{"Records":[{"eventID":"{{hex32}}","eventName":"\#(name)","eventVersion":"1.1","eventSource":"aws:dynamodb","#
        + #""awsRegion":"{{region}}","dynamodb":{"ApproximateCreationDateTime":"{{now-epoch|number}}","#
        + #""Keys":"{{keys|json}}","SequenceNumber":"{{digits24}}","SizeBytes":26,\#(images)},"#
        + #""eventSourceARN":"arn:aws:dynamodb:{{region}}:{{account}}:table/{{table}}/stream/2027-01-01T00:00:00.000"}]}"#
    )
  }
}
