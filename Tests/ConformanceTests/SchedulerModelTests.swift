// Scheduler against AWS's model: its table, and every request that the model forbids or allows.
import MartletStore
import MartletWire
import NIOHTTP1
import Testing

@testable import MartletCloud

@Suite struct SchedulerModelTests {
  static let names = SchedulerService.rows.map(\.route.action)

  @Test func everyOperationHasOneRow() throws {
    #expect(SchedulerModelTests.names == ServiceModel.scheduler.operations.keys.sorted())
    for row in SchedulerService.rows {
      let operation = try #require(ServiceModel.scheduler.operations[row.route.action])
      #expect(row.route.method.rawValue == operation.method && row.route.path == operation.uri, "\(row.route.name)")
      #expect(row.route.status == operation.status)
    }
  }

  @Test func whatIsMissingIsListed() throws {
    let bytes = try Files.read("\(ServiceModel.here)/../../UNIMPLEMENTED.txt")
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    #expect(
      lines.filter { $0.hasPrefix("Scheduler.") }
        == SchedulerService.rows.filter { $0.stage != .executes }.map(\.route.name))
  }

  private func isRefusal(_ answer: SchedulerFixture.Answer, _ violation: ModelViolation) -> Bool {
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

  @Test(arguments: names) func everyViolationIsRefused(name: String) async throws {
    let operation = try #require(ServiceModel.scheduler.operations[name])
    let scheduler = try SchedulerFixture()
    for violation in ModelWalker.walk(operation, of: .scheduler).violations {
      // A list in the query that is left out cannot be told from an empty one.
      if violation.member.place == .query, violation.kind == .tooFew { continue }
      let request = ModelRequest(operation, of: .scheduler).setting(violation.member, violation.value)
      let answer = try await scheduler.call(.init(rawValue: operation.method), request.uri, request.body())
      if !isRefusal(answer, violation) {
        Issue.record(
          """
          \(name): \(violation.field) \(violation.kind.rawValue): wanted \(violation.refusal), got \
          \(answer.status) \(answer.code) \(answer.message.prefix(400)) for \(request.uri.prefix(200)) \
          \(request.body().prefix(300))
          """)
      }
    }
  }

  @Test(arguments: names) func nothingElseIsRefused(name: String) async throws {
    let operation = try #require(ServiceModel.scheduler.operations[name])
    let scheduler = try SchedulerFixture()
    let requests = ModelWalker.walk(operation, of: .scheduler).boundaries.map {
      ModelRequest(operation, of: .scheduler).setting($0.member, $0.value)
    }
    let whole = [ModelRequest(operation, of: .scheduler), ModelRequest(operation, of: .scheduler, all: true)]
    for request in requests + whole {
      let answer = try await scheduler.call(
        .init(rawValue: operation.method), request.uri, request.body([.init("NoSuchMember", .integer(1))]))
      if answer.message.contains("failed to satisfy constraint") || answer.code == "SerializationException" {
        Issue.record("\(name): \(answer.code) \(answer.message) for \(request.uri) \(request.body())")
      }
      guard answer.status != 200 else {
        let found = Set((answer.body.members ?? []).map(\.name))
        #expect(found.isSubset(of: operation.output), "\(name): \(found)")
        continue
      }
      let known = ServiceModel.scheduler.errors[answer.code]
      // Targets that Martlet does not have say so.
      #expect(answer.code == "NotImplementedException" || known?.status == answer.status, "\(name): \(answer.code)")
      #expect(answer.code == "NotImplementedException" || operation.errors.contains(answer.code))
      #expect(!answer.message.isEmpty, "the message is spelt as the model spells it")
    }
  }
}
