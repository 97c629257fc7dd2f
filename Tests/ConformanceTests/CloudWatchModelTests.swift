// CloudWatch against AWS's model: its table, and every request that the model forbids or allows.
import MartletStore
import MartletWire
import NIOHTTP1
import Testing

@testable import MartletCloud

@Suite struct CloudWatchModelTests {
  static let names = CloudWatchService.rows.map(\.route.action)
  static let written = CloudWatchService.rows.filter(\.isWritten).map(\.route.action)

  @Test func everyOperationHasOneRow() {
    #expect(CloudWatchModelTests.names == ServiceModel.cloudwatch.operations.keys.sorted())
  }

  @Test func whatIsMissingIsListed() throws {
    let bytes = try Files.read("\(ServiceModel.here)/../../UNIMPLEMENTED.txt")
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    #expect(
      lines.filter { $0.hasPrefix("CloudWatch.") }
        == CloudWatchService.rows.filter { $0.stage != .executes }.map(\.route.name))
  }

  private func isRefusal(_ answer: CloudWatchFixture.Answer, _ violation: ModelViolation) -> Bool {
    guard answer.status == 400 else { return false }
    switch violation.refusal {
    case .serialization: return answer.code == "SerializationException"
    case .constraint(let text):
      return answer.code == "ValidationException"
        && answer.message.contains("at '\(violation.field)' failed to satisfy constraint: \(text)")
    case .values:
      return answer.code == "ValidationException"
        && answer.message.contains(
          "at '\(violation.field)' failed to satisfy constraint: Member must satisfy enum value set: [")
    }
  }

  @Test(arguments: written) func everyViolationIsRefused(name: String) async throws {
    let operation = try #require(ServiceModel.cloudwatch.operations[name])
    let fixture = try CloudWatchFixture()
    for violation in ModelWalker.walk(operation, of: .cloudwatch).violations {
      let request = ModelRequest(operation, of: .cloudwatch).setting(violation.member, violation.value)
      let answer = try await fixture.call(name, request.body())
      if !isRefusal(answer, violation) {
        Issue.record(
          """
          \(name): \(violation.field) \(violation.kind.rawValue): wanted \(violation.refusal), got \
          \(answer.status) \(answer.code) \(answer.message.prefix(400)) for \(request.body().prefix(300))
          """)
      }
    }
  }

  @Test(arguments: written) func nothingElseIsRefused(name: String) async throws {
    let operation = try #require(ServiceModel.cloudwatch.operations[name])
    let fixture = try CloudWatchFixture()
    // Where a map must have two entries, the walker makes one.
    let boundaries = ModelWalker.walk(operation, of: .cloudwatch).boundaries.filter {
      !$0.field.hasSuffix("entity.keyAttributes")
    }
    let requests = boundaries.map { ModelRequest(operation, of: .cloudwatch).setting($0.member, $0.value) }
    let whole = [ModelRequest(operation, of: .cloudwatch), ModelRequest(operation, of: .cloudwatch, all: true)]
    for request in requests + whole {
      let answer = try await fixture.call(name, request.body([.init("NoSuchMember", .integer(1))]))
      if answer.message.contains("failed to satisfy constraint") || answer.code == "SerializationException" {
        Issue.record("\(name): \(answer.code) \(answer.message) for \(request.body().prefix(400))")
      }
      guard answer.status != 200 else {
        let found = Set((answer.body.members ?? []).map(\.name))
        #expect(found.isSubset(of: operation.output), "\(name): \(found)")
        continue
      }
      #expect(!answer.message.isEmpty, "\(name) \(answer.code)")
      // What Martlet does not have says so.
      if answer.status == 501 { continue }
      #expect(answer.header("x-amzn-query-error")?.hasSuffix(";Sender") == true)
    }
  }
}
