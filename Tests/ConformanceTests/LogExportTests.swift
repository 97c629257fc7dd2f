// Export tasks: what of a group gets into a bucket, and in which files.
import MartletCore
import MartletStore
import MartletWire
import NIOCore
import Synchronization
import Testing

@testable import MartletCloud

@Suite struct LogExportTests {
  /// The buckets of a test: only `b` is there.
  final class Buckets: Sendable {
    let objects = Mutex<[String: [UInt8]]>([:])
    /// How many files are written before it fails.
    let room = Mutex(Int.max)

    init(_ logs: LogsFixture) {
      logs.door.offer(S3.PutObject.self) { [weak self] (input, call) async throws(AWSError) in
        guard input.bucket == "b" else {
          throw AWSError("NoSuchBucket", status: 404, "The specified bucket does not exist")
        }
        let isFull = self?.room.withLock { room -> Bool in
          room -= 1
          return room < 0
        }
        if isFull == true { throw AWSError("AccessDenied", status: 403, "Access Denied") }
        self?.objects.withLock { $0[input.key] = Array(input.request.body.readableBytesView) }
        return .init(headers: [])
      }
    }

    func text(_ key: String) -> String? {
      objects.withLock { $0[key] }.flatMap { GzipReader.unpack(ByteBuffer(bytes: $0), limit: 1 << 26) }
        .map { String(decoding: $0, as: UTF8.self) }
    }
  }

  private func begin(_ logs: LogsFixture, _ more: String = "") async throws -> String {
    let from = LogsFixture.start
    let body = #"{"logGroupName":"g","from":\#(from),"to":\#(from + 1000),"destination":"b"\#(more)}"#
    return try #require(try await logs.ask("CreateExportTask", body)["taskId"]?.string)
  }

  private func task(_ logs: LogsFixture, _ id: String) async throws -> JSONValue {
    let tasks = try await logs.ask("DescribeExportTasks", #"{"taskId":"\#(id)"}"#)["exportTasks"]?.array ?? []
    return try #require(tasks.first)
  }

  /// The clock does not move before the task is over.
  private func rest(_ logs: LogsFixture) async { await logs.advance(0) }

  @Test func eventsGetIntoTheBucket() async throws {
    let logs = try LogsFixture()
    let buckets = Buckets(logs)
    try await logs.makeStream("g", "2027/01/15/[$LATEST]abc")
    try await logs.makeStream("g", "other")
    try await logs.put([(0, "one\n"), (5, "two"), (2000, "late")], stream: "2027/01/15/[$LATEST]abc")
    try await logs.put([(1000, "é")], stream: "other")
    let id = try await begin(logs, #","taskName":"t""#)
    await rest(logs)
    let done = try await task(logs, id)
    #expect(done["status"]?["code"]?.string == "COMPLETED" && done["taskName"]?.string == "t")
    #expect(done["destinationPrefix"]?.string == "exportedlogs" && done["executionInfo"]?["completionTime"] != nil)
    #expect(
      buckets.objects.withLock { Set($0.keys) } == [
        "exportedlogs/\(id)/2027-01-15-[$LATEST]abc/000000.gz", "exportedlogs/\(id)/other/000000.gz",
        "exportedlogs/aws-logs-write-test",
      ])
    #expect(
      buckets.text("exportedlogs/\(id)/2027-01-15-[$LATEST]abc/000000.gz")
        == "2027-01-15T08:00:00.000Z one\n2027-01-15T08:00:00.005Z two\n")
    #expect(buckets.text("exportedlogs/\(id)/other/000000.gz") == "2027-01-15T08:00:01.000Z é\n")
    let second = try await begin(logs, #","logStreamNamePrefix":"oth","destinationPrefix":"p/q""#)
    await rest(logs)
    #expect(try await task(logs, second)["status"]?["code"]?.string == "COMPLETED")
    #expect(
      buckets.objects.withLock { $0.keys.filter { $0.hasPrefix("p/q/\(second)/") } } == [
        "p/q/\(second)/other/000000.gz"
      ])
    let listed = try await logs.ask("DescribeExportTasks", #"{"statusCode":"COMPLETED","limit":1}"#)
    #expect(listed["exportTasks"]?.array?.count == 1 && listed["nextToken"] != nil)
    await logs.stop()
  }

  @Test func largeStreamsGetSeveralFiles() async throws {
    let logs = try LogsFixture()
    let buckets = Buckets(logs)
    try await logs.makeStream()
    let line = String(repeating: "x", count: 200_000)
    for batch in 0..<11 { try await logs.put((0..<4).map { (Int64(batch), "\(batch) \($0) \(line)") }) }
    let id = try await begin(logs)
    await rest(logs)
    let files = buckets.objects.withLock { $0.keys.filter { $0.hasPrefix("exportedlogs/\(id)/s/") }.sorted() }
    #expect(files.count == 3 && files.first?.hasSuffix("/000000.gz") == true)
    let lines = files.compactMap { buckets.text($0) }.joined().split(separator: "\n")
    #expect(lines.count == 44 && Set(lines).count == 44)
    await logs.stop()
  }

  @Test func whatCannotBeIsRefused() async throws {
    let logs = try LogsFixture()
    let buckets = Buckets(logs)
    try await logs.makeStream()
    try await logs.put([(0, "a")])
    for (body, code) in [
      (#"{"logGroupName":"g","from":2,"to":1,"destination":"b"}"#, "InvalidParameterException"),
      (#"{"logGroupName":"g","from":1,"to":2,"destination":"none"}"#, "InvalidParameterException"),
      (#"{"logGroupName":"none","from":1,"to":2,"destination":"b"}"#, "ResourceNotFoundException"),
    ] {
      #expect(try await logs.call("CreateExportTask", body).code == code, "\(body)")
    }
    #expect(try await logs.call("CancelExportTask", #"{"taskId":"none"}"#).code == "ResourceNotFoundException")
    // Room for the test object only.
    buckets.room.withLock { $0 = 1 }
    let id = try await begin(logs)
    await rest(logs)
    let failed = try await task(logs, id)
    #expect(failed["status"]?["code"]?.string == "FAILED" && failed["status"]?["message"]?.string == "Access Denied")
    #expect(try await logs.call("CancelExportTask", #"{"taskId":"\#(id)"}"#).code == "InvalidOperationException")
    await logs.stop()
  }

  @Test func oneAtATimeAndTheNextServerGoesOn() async throws {
    let first = try LogsFixture(keeps: true)
    _ = Buckets(first)
    try await first.makeStream()
    try await first.put([(0, "a")])
    await first.stop()
    // Nobody runs tasks any more: this one waits.
    let buckets = Buckets(first)
    let id = try await begin(first)
    let again = try await first.call(
      "CreateExportTask", #"{"logGroupName":"g","from":1,"to":2,"destination":"b"}"#)
    #expect(again.code == "LimitExceededException")
    #expect(try await task(first, id)["status"]?["code"]?.string == "PENDING")
    let second = try LogsFixture(in: first.directory)
    let others = Buckets(second)
    await second.service.exportTasks.wait(for: .init(place: second.place, name: id)) { $0?.status.isOver == true }
    #expect(try await task(second, id)["status"]?["code"]?.string == "COMPLETED")
    #expect(others.text("exportedlogs/\(id)/s/000000.gz") == "2027-01-15T08:00:00.000Z a\n")
    #expect(buckets.text("exportedlogs/\(id)/s/000000.gz") == nil)
    await second.stop()
  }

  @Test func aCancelledTaskWritesNoMore() async throws {
    let first = try LogsFixture(keeps: true)
    let buckets = Buckets(first)
    try await first.makeStream()
    try await first.put([(0, "a")])
    await first.stop()
    let id = try await begin(first)
    try await first.ask("CancelExportTask", #"{"taskId":"\#(id)"}"#)
    #expect(try await task(first, id)["status"]?["code"]?.string == "PENDING_CANCEL")
    let second = try LogsFixture(in: first.directory)
    let others = Buckets(second)
    await second.service.exportTasks.wait(for: .init(place: second.place, name: id)) { $0?.status.isOver == true }
    #expect(try await task(second, id)["status"]?["code"]?.string == "CANCELLED")
    #expect(others.objects.withLock { $0.isEmpty } && buckets.objects.withLock { $0.count } == 1)
    await second.stop()
  }
}
