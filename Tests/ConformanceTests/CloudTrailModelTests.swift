// CloudTrail against AWS's model: its table, what every operation demands and refuses, and the members of its answers.
import MartletStore
import MartletWire
import Testing

@testable import MartletCloud

@Suite struct CloudTrailModelTests {
  static let written = CloudTrailService.rows.filter(\.isWritten).map(\.route.action)

  @Test func everyOperationHasOneRow() {
    #expect(CloudTrailService.rows.map(\.route.action) == ServiceModel.cloudtrail.operations.keys.sorted())
  }

  @Test func whatIsMissingIsListed() throws {
    let bytes = try Files.read("\(ServiceModel.here)/../../UNIMPLEMENTED.txt")
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    #expect(
      lines.filter { $0.hasPrefix("CloudTrail.") }
        == CloudTrailService.rows.filter { $0.stage != .executes }.map(\.route.name))
  }

  @Test func whatIsMissingSaysSo() async throws {
    let trail = try await AuditFixture()
    for row in CloudTrailService.rows where !row.isWritten {
      let answer = try await trail.call(row.route.action)
      #expect(answer.status == 501 && answer.code == "NotImplementedException")
      #expect(answer.message.contains(row.route.name))
    }
    #expect(try await trail.call("Nonsense").code == "UnknownOperationException")
  }

  @Test(arguments: written) func whatTheModelForbidsIsRefused(_ name: String) async throws {
    let trail = try await AuditFixture()
    let operation = try #require(ServiceModel.cloudtrail.operations[name])
    for violation in ModelWalker.walk(operation, of: .cloudtrail).violations {
      let body = ModelRequest(operation, of: .cloudtrail).setting(violation.member, violation.value).body()
      let answer = try await trail.call(name, body)
      let isRight: Bool
      switch violation.refusal {
      case .constraint(let text):
        isRight =
          answer.code == "ValidationException"
          && answer.message.contains("at '\(violation.field)' failed to satisfy constraint: \(text)")
      case .values(let values):
        isRight =
          answer.code == "ValidationException"
          && answer.message.contains("at '\(violation.field)' failed to satisfy constraint: Member must satisfy enum")
          && values.allSatisfy { answer.message.contains($0) }
      case .serialization: isRight = answer.code == "SerializationException"
      }
      #expect(
        isRight && answer.status == 400,
        "\(name): \(violation.field) \(violation.kind.rawValue): \(answer.message.prefix(400)) for \(body.prefix(300))")
    }
  }

  @Test(arguments: written) func whatTheModelAllowsIsNoViolation(_ name: String) async throws {
    let trail = try await AuditFixture()
    let operation = try #require(ServiceModel.cloudtrail.operations[name])
    var bodies = [false, true].map {
      ModelRequest(operation, of: .cloudtrail, all: $0).body([.init("NoSuchMember", .null)])
    }
    for boundary in ModelWalker.walk(operation, of: .cloudtrail).boundaries {
      bodies.append(ModelRequest(operation, of: .cloudtrail).setting(boundary.member, boundary.value).body())
    }
    for body in bodies {
      let answer = try await trail.call(name, body)
      #expect(
        !answer.message.contains("failed to satisfy constraint") && answer.code != "SerializationException",
        "\(name): \(answer.message.prefix(400)) for \(body.prefix(300))")
      let known = Set(operation.errors)
      #expect(answer.status == 200 || known.contains(answer.code), "\(name): \(answer.code)")
      let members = Set((answer.status == 200 ? answer.body.members ?? [] : []).map(\.name))
      #expect(members.isSubset(of: operation.output), "\(name): \(members)")
    }
  }
}
