// IAM and STS against AWS's models: tables, and every request that the models forbid.
import MartletCloud
import MartletStore
import MartletWire
import Testing

@Suite struct CloudModelTests {
  static let iamNames = IAMService.rows.filter(\.isWritten).map(\.route.action)
  static let stsNames = STSService.rows.filter(\.isWritten).map(\.route.action)

  @Test func everyOperationHasOneRow() {
    #expect(IAMService.rows.map(\.route.action) == ServiceModel.iam.operations.keys.sorted())
    #expect(STSService.rows.map(\.route.action) == ServiceModel.sts.operations.keys.sorted())
  }

  @Test func whatIsMissingIsListed() throws {
    let bytes = try Files.read("\(ServiceModel.here)/../../UNIMPLEMENTED.txt")
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    let listed = lines.filter { $0.hasPrefix("IAM.") || $0.hasPrefix("STS.") }.map(String.init)
    let missing =
      IAMService.rows.filter { $0.stage != .executes }.map(\.route.name)
      + STSService.rows.filter { $0.stage != .executes }.map(\.route.name)
    #expect(listed == missing)
  }

  @Test func whatIsMissingSaysSo() async throws {
    let cloud = try await CloudFixture()
    for row in IAMService.rows where !row.isWritten {
      let answer = try await cloud.iam(row.route.action)
      #expect(answer.status == 501 && answer.code == "NotImplemented" && answer.message.contains(row.route.name))
    }
  }

  /// Where the services have words of their own; the message need only begin so.
  private static let ownWords = [
    "The specified value for ", "Must specify userName", "Duplicate tag keys",
  ]

  func check(
    _ name: String, _ model: ServiceModel, _ send: (String) async throws -> CloudFixture.Answer
  ) async throws {
    let operation = try #require(model.operations[name])
    for violation in ModelWalker.walk(operation, of: model).violations {
      // An empty list cannot be told from an absent one, nor a text from another type, in a form.
      if violation.kind == .type, violation.member.shape != "integer" { continue }
      if violation.kind == .tooFew { continue }
      let request = ModelRequest(operation, of: model).setting(violation.member, violation.value)
      // Structures without members leave no trace in a form.
      let without = ModelRequest(operation, of: model).setting(violation.member, nil)
      if violation.kind == .tooMany, request.form == without.form { continue }
      let answer = try await send(request.form)
      let isOwn = violation.kind == .pattern && CloudModelTests.ownWords.contains { answer.message.hasPrefix($0) }
      let words: String
      switch violation.refusal {
      case .constraint(let text): words = "at '\(violation.field)' failed to satisfy constraint: \(text)"
      case .values:
        words = "at '\(violation.field)' failed to satisfy constraint: Member must satisfy enum value set: ["
      case .serialization: words = "can not be converted"
      }
      let isRight =
        answer.status == 400 && ["ValidationError", "MalformedInput"].contains(answer.code)
        && (answer.message.contains(words) || isOwn)
      if !isRight {
        Issue.record(
          "\(name): \(violation.field) \(violation.kind.rawValue): wanted \(words), got \(answer.text.prefix(700)) for \(request.form.prefix(300))"
        )
      }
    }
    for request in [ModelRequest(operation, of: model), ModelRequest(operation, of: model, all: true)] {
      let answer = try await send(request.form + "&NoSuchMember=1")
      if answer.message.contains("failed to satisfy constraint") || answer.code == "MalformedInput" {
        Issue.record("\(name): \(answer.message) for \(request.form)")
      }
      if answer.status != 200 { checkError(answer, name, model) }
    }
  }

  /// Codes that any operation may have, without being in its model.
  private static let common: Set<String> = ["ValidationError", "AccessDenied", "MalformedInput", "NotImplemented"]

  /// What an operation answers is an error of its model, with the model's status.
  private func checkError(_ answer: CloudFixture.Answer, _ name: String, _ model: ServiceModel) {
    guard !CloudModelTests.common.contains(answer.code) else { return }
    let known = model.errors.values.first { $0.code == answer.code }
    #expect(known?.status == answer.status, "\(name): \(answer.code) \(answer.status)")
  }

  @Test(arguments: iamNames) func iamRefusesWhatTheModelForbids(name: String) async throws {
    let cloud = try await CloudFixture()
    try await check(name, .iam) { try await cloud.iam(name, $0) }
  }

  @Test(arguments: stsNames) func stsRefusesWhatTheModelForbids(name: String) async throws {
    let cloud = try await CloudFixture()
    try await check(name, .sts) { try await cloud.sts(name, $0) }
  }
}
