// What functions get of messages, what they may answer, and what filters see: byte by byte, and case by case.
import MartletCore
import MartletWire
import NIOCore
import Testing

@testable import MartletLambda

@Suite struct QueueRecordTests {
  private func message(_ body: String) -> SQS.Message {
    var message = SQS.Message(id: "1-2", receipt: "r==", body: body, bodyDigest: "d")
    message.system = [
      (key: "SenderId", value: "AIDA"), (key: "SentTimestamp", value: "1"),
      (key: "ApproximateReceiveCount", value: "2"),
      (key: "ApproximateFirstReceiveTimestamp", value: "3"),
    ]
    return message
  }

  private func record(_ body: String) throws -> QueueRecord {
    QueueRecord(message(body), from: try #require(ARN("arn:aws:sqs:us-east-1:123456789012:q")))
  }

  @Test func recordsAreAWSs() throws {
    #expect(
      String(buffer: QueueRecord.event([try record("a\"\n")]))
        == #"{"Records":[{"messageId":"1-2","receiptHandle":"r==","body":"a\"\n","attributes":{"ApproximateReceiveCount":"2","SentTimestamp":"1","SenderId":"AIDA","ApproximateFirstReceiveTimestamp":"3"},"messageAttributes":{},"md5OfMessageAttributes":null,"md5OfBody":"d","eventSource":"aws:sqs","eventSourceARN":"arn:aws:sqs:us-east-1:123456789012:q","awsRegion":"us-east-1"}]}"#
    )
  }

  /// The size that is counted is the size of the event, or one more.
  @Test(arguments: 1...5) func sizes(_ count: Int) throws {
    let records = try (0..<count).map { try record(String(repeating: "x", count: $0 * 7)) }
    let counted = records.reduce(QueueRecord.frame.event) { $0 + $1.json.readableBytes + QueueRecord.frame.record }
    #expect(QueueRecord.event(records).readableBytes == counted - 1)
  }

  @Test(arguments: [
    ("", BatchResponse.success), ("null", .success), ("{}", .success), ("[]", .success), ("\"\"", .success),
    (#"{"batchItemFailures":[]}"#, .success), (#"{"batchItemFailures":null}"#, .success), (#"{"other":1}"#, .success),
    (#"{"batchItemFailures":[{"itemIdentifier":"a"}]}"#, .failures(["a"])),
    (
      #"{"batchItemFailures":[{"itemIdentifier":"a"},{"itemIdentifier":"b"},{"itemIdentifier":"a"}]}"#,
      .failures(["a", "b"])
    ),
    (#"{"batchItemFailures":[{"itemIdentifier":"c"}]}"#, .malformed),
    (#"{"batchItemFailures":[{"itemIdentifier":"a"},{"itemIdentifier":""}]}"#, .malformed),
    (#"{"batchItemFailures":[{"itemIdentifier":null}]}"#, .malformed),
    (#"{"batchItemFailures":[{"foo":"a"}]}"#, .malformed), (#"{"batchItemFailures":[1]}"#, .malformed),
    (#"{"batchItemFailures":{}}"#, .malformed), ("{", .malformed), ("not json", .malformed),
  ])
  func answers(_ text: String, _ expected: BatchResponse) {
    #expect(BatchResponse(ByteBuffer(string: text), ids: ["a", "b"]) == expected)
  }

  @Test(arguments: [
    (#"{"body":{"a":[1]}}"#, #"{"a":1}"#, true), (#"{"body":{"a":[100]}}"#, #"{"a":1.0e2}"#, true),
    (#"{"body":{"a":[1]}}"#, #"{"a":"1"}"#, false), (#"{"body":{"a":[1]}}"#, "1", false),
    (#"{"body":{"a":[1]}}"#, "{", false), (#"{"body":["{"]}"#, "{", true), (#"{"body":["x"]}"#, #"{"x":1}"#, false),
    (#"{"body":{"a":[null]}}"#, #"{"a":null}"#, true), (#"{"body":{"a":[null]}}"#, "{}", false),
    (#"{"body":{"a":[""]}}"#, #"{"a":""}"#, true), (#"{"body":{"a":["x"]}}"#, #"{"a":["y","x"]}"#, true),
    (#"{"body":{"a":{"b":[1]}}}"#, #"{"a":[{"b":2},{"b":1}]}"#, true),
    (#"{"body":{"a":[{"exists":true}]}}"#, #"{"a":{"b":1}}"#, false),
    (#"{"body":{"a":[{"exists":true}]}}"#, #"{"a":null}"#, true),
    (#"{"body":{"a":[{"exists":false}]}}"#, "{}", true), (#"{"body":{"a":[{"exists":false}]}}"#, #"{"a":1}"#, false),
    (#"{"body":{"a":{"b":[{"exists":false}]}}}"#, "{}", true),
    (#"{"body":{"a":{"b":[{"exists":false}]}}}"#, #"{"a":1}"#, true),
    (#"{"body":{"a":[{"anything-but":[2,1]}]}}"#, #"{"a":1}"#, false),
    (#"{"body":{"a":[{"anything-but":"x"}]}}"#, #"{"a":"y"}"#, true),
    (#"{"body":{"a":[{"anything-but":"x"}]}}"#, "{}", false),
    (#"{"body":{"a":[{"anything-but":{"prefix":"x"}}]}}"#, #"{"a":"xy"}"#, false),
    (#"{"body":{"a":[{"equals-ignore-case":"ÄB"}]}}"#, #"{"a":"äb"}"#, true),
    (#"{"body":{"a":[{"suffix":{"equals-ignore-case":".PNG"}}]}}"#, #"{"a":"b.png"}"#, true),
    (#"{"body":{"a":[{"numeric":[">",0,"<=",5]}]}}"#, #"{"a":5}"#, true),
    (#"{"body":{"a":[{"numeric":["<",0]}]}}"#, #"{"a":"-1"}"#, false),
    (#"{"body":{"$or":[{"a":[1]},{"b":[2]}]}}"#, #"{"b":2}"#, true),
    (#"{"body":{"$or":[{"a":[1]},{"b":[2]}],"c":[3]}}"#, #"{"b":2}"#, false),
    (#"{"attributes":{"ApproximateReceiveCount":["2"]}}"#, "x", true), (#"{"awsRegion":["eu-west-1"]}"#, "x", false),
  ])
  func filters(_ pattern: String, _ body: String, _ expected: Bool) throws {
    let pattern = try EventPattern(pattern, .filters)
    #expect(pattern.matches(try record(body).filtered) == expected)
  }

  @Test func theDeepestChainGoesOn() throws {
    func traced(_ header: String?) -> QueueRecord? {
      var message = message("x")
      if let header { message.system.append((key: "AWSTraceHeader", value: header)) }
      return ARN("arn:aws:sqs:us-east-1:123456789012:q").map { QueueRecord(message, from: $0) }
    }
    let headers = ["Root=1-a;Lineage=1:aaaaaaaa:3", "Root=1-b;Lineage=1:bbbbbbbb:7", nil, "Root=1-c"]
    #expect(QueueRecord.traceHeader(of: headers.compactMap(traced)) == headers[1])
    #expect(QueueRecord.traceHeader(of: [traced("Root=1-c")].compactMap { $0 }) == "Root=1-c")
    #expect(QueueRecord.traceHeader(of: [traced(nil), traced("Root=1-c")].compactMap { $0 }) == nil)
  }
}
