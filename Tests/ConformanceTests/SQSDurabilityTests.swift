// Queues with more messages than memory, and queues after a restart at any moment.
import MartletCore
import MartletWire
import Testing

@testable import MartletCloud

@Suite struct SQSDurabilityTests {
  private let url = #""QueueUrl":"http://localhost:4566/111111111111/"#

  private func send(_ sqs: SQSFixture, _ queue: String, _ count: Int, from first: Int = 0, group: Bool) async throws {
    for start in stride(from: first, to: first + count, by: 10) {
      let entries = (start..<min(start + 10, first + count)).map { i in
        let fifo = group ? #","MessageGroupId":"g\#(i % 3)","MessageDeduplicationId":"\#(i)""# : ""
        return #"{"Id":"\#(i)","MessageBody":"\#(i)"\#(fifo)}"#
      }
      let answer = try await sqs.call(
        "SendMessageBatch", "{\(url)\(queue)\",\"Entries\":[\(entries.joined(separator: ","))]}")
      #expect(answer.body["Successful"]?.array?.count == entries.count, "\(answer.body.text)")
    }
  }

  private func receive(_ sqs: SQSFixture, _ queue: String, visibility: Int = 1000) async throws -> [JSONValue] {
    let body =
      "{\(url)\(queue)\",\"MaxNumberOfMessages\":10,\"VisibilityTimeout\":\(visibility),\"AttributeNames\":[\"All\"]}"
    return try await sqs.call("ReceiveMessage", body).body["Messages"]?.array ?? []
  }

  private func delete(_ sqs: SQSFixture, _ queue: String, _ messages: [JSONValue]) async throws {
    let entries = messages.enumerated().map { i, message in
      #"{"Id":"\#(i)","ReceiptHandle":"\#(message["ReceiptHandle"]?.string ?? "")"}"#
    }
    let answer = try await sqs.call(
      "DeleteMessageBatch", "{\(url)\(queue)\",\"Entries\":[\(entries.joined(separator: ","))]}")
    #expect(answer.body["Failed"]?.array?.isEmpty == true, "\(answer.body.text)")
  }

  private func bodies(_ messages: [JSONValue]) -> [Int] {
    messages.compactMap { $0["Body"]?.string.flatMap { Int($0) } }
  }

  @Test(arguments: [false, true]) func moreThanMemoryComesInOrder(isFIFO: Bool) async throws {
    // Seven messages in memory, and of these the bytes of two or three.
    let sqs = try SQSFixture(window: 7, memory: .bytes(1200))
    let name = isFIFO ? "q.fifo" : "q"
    let attributes = isFIFO ? #","Attributes":{"FifoQueue":"true"}"# : ""
    #expect(try await sqs.call("CreateQueue", #"{"QueueName":"\#(name)"\#(attributes)}"#).status == 200)
    try await send(sqs, name, 300, group: isFIFO)
    var got: [Int] = []
    var sent = 300
    while case let messages = try await receive(sqs, name), !messages.isEmpty {
      got += bodies(messages)
      try await delete(sqs, name, messages)
      if got.count >= 100, sent == 300 {
        try await send(sqs, name, 50, from: sent, group: isFIFO)
        sent = 350
      }
    }
    #expect(got.count == 350 && Set(got) == Set(0..<350))
    for group in 0..<3 where isFIFO {
      let ofGroup = got.filter { $0 % 3 == group }
      #expect(ofGroup == ofGroup.sorted())
    }
  }

  @Test(arguments: [false, true]) func aRestartKeepsWhatIsNotDeleted(isFIFO: Bool) async throws {
    let first = try SQSFixture(window: 5)
    let name = isFIFO ? "q.fifo" : "q"
    let attributes = isFIFO ? #","Attributes":{"FifoQueue":"true"}"# : ""
    #expect(try await first.call("CreateQueue", #"{"QueueName":"\#(name)"\#(attributes)}"#).status == 200)
    try await send(first, name, 60, group: isFIFO)
    let deleted = try await receive(first, name)
    try await delete(first, name, deleted)
    let held = try await receive(first, name)
    #expect(!held.isEmpty)
    // The second in which receives are not on disk yet.
    await first.advance(1)
    try await first.service.allIsWritten()

    let second = try SQSFixture(in: first.directory, window: 5)
    let isLocked = isFIFO ? Set(bodies(held).map { $0 % 3 }) : []
    var got: [Int] = []
    while case let messages = try await receive(second, name), !messages.isEmpty {
      got += bodies(messages)
      try await delete(second, name, messages)
    }
    let gone = Set(bodies(deleted) + bodies(held))
    #expect(got.sorted() == (0..<60).filter { !gone.contains($0) && !isLocked.contains($0 % 3) }, "hidden stays hidden")
    // A handle of the first run still deletes.
    try await delete(second, name, [held[0]])
    await second.advance(1000)
    var rest: [JSONValue] = []
    while case let messages = try await receive(second, name), !messages.isEmpty {
      rest += messages
      try await delete(second, name, messages)
    }
    #expect((got + bodies(rest) + [bodies(held)[0]]).sorted() == (0..<60).filter { !bodies(deleted).contains($0) })
    let again = rest.first { bodies(held).contains(bodies([$0])[0]) }
    #expect(again?["Attributes"]?["ApproximateReceiveCount"]?.string == "2", "receives are counted over a restart")
  }
}
