// X-Ray against AWS's model: its table, and every request that the model forbids or allows.
import MartletStore
import MartletWire
import NIOHTTP1
import Testing

@testable import MartletCloud

@Suite struct XRayModelTests {
  static let names = XRayService.rows.map(\.route.action)
  static let written = XRayService.rows.filter(\.isWritten).map(\.route.action)

  @Test func everyOperationHasOneRow() throws {
    #expect(XRayModelTests.names == ServiceModel.xray.operations.keys.sorted())
    for row in XRayService.rows {
      let operation = try #require(ServiceModel.xray.operations[row.route.action])
      #expect(
        row.route.method.rawValue == operation.method && row.route.path == operation.uri,
        "\(row.route.name)")
      #expect(row.route.status == operation.status)
    }
  }

  @Test func whatIsMissingIsListed() throws {
    let bytes = try Files.read("\(ServiceModel.here)/../../UNIMPLEMENTED.txt")
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    #expect(
      lines.filter { $0.hasPrefix("XRay.") }
        == XRayService.rows.filter { $0.stage != .executes }.map(\.route.name))
  }

  private func isRefusal(_ answer: XRayFixture.Answer, _ violation: ModelViolation) -> Bool {
    guard answer.status == 400 else { return false }
    switch violation.refusal {
    case .serialization: return answer.code == "SerializationException"
    case .constraint(let text):
      return answer.code == "InvalidRequestException"
        && answer.message.contains("at '\(violation.field)' failed to satisfy constraint: \(text)")
    case .values:
      return answer.code == "InvalidRequestException"
        && answer.message.contains(
          "at '\(violation.field)' failed to satisfy constraint: Member must satisfy enum value set: ["
        )
    }
  }

  @Test(arguments: written) func everyViolationIsRefused(name: String) async throws {
    let operation = try #require(ServiceModel.xray.operations[name])
    let xray = try XRayFixture()
    for violation in ModelWalker.walk(operation, of: .xray).violations {
      let request = ModelRequest(operation, of: .xray).setting(violation.member, violation.value)
      let answer = try await xray.call(
        .init(rawValue: operation.method), request.uri, request.body())
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

  @Test(arguments: written) func nothingElseIsRefused(name: String) async throws {
    let operation = try #require(ServiceModel.xray.operations[name])
    let xray = try XRayFixture()
    let requests = ModelWalker.walk(operation, of: .xray).boundaries.map {
      ModelRequest(operation, of: .xray).setting($0.member, $0.value)
    }
    let whole = [ModelRequest(operation, of: .xray), ModelRequest(operation, of: .xray, all: true)]
    // What reads waits until everything that came in is written.
    let answers = try await xray.running {
      var answers: [XRayFixture.Answer] = []
      for request in requests + whole {
        answers.append(
          try await xray.call(
            .init(rawValue: operation.method), request.uri, request.body([.init("NoSuchMember", .integer(1))])))
      }
      return answers
    }
    for (request, answer) in zip(requests + whole, answers) {
      if answer.message.contains("failed to satisfy constraint") || answer.code == "SerializationException" {
        Issue.record("\(name): \(answer.code) \(answer.message) for \(request.uri) \(request.body())")
      }
      guard answer.status != 200 else {
        let found = Set((answer.body.members ?? []).map(\.name))
        #expect(found.isSubset(of: operation.output), "\(name): \(found)")
        continue
      }
      let known = ServiceModel.xray.errors[answer.code]
      // The model says nothing of this error's status.
      #expect(known?.status == answer.status || answer.status == 400, "\(name): \(answer.code)")
      #expect(operation.errors.contains(answer.code))
      #expect(!answer.message.isEmpty, "the message is spelt as the model spells it")
    }
  }
}
