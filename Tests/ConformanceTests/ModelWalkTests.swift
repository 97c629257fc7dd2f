// Conformance by construction: each operation is sent every request that its model allows or forbids.
import MartletLambda
import MartletWire
import NIOHTTP1
import Testing

@Suite struct ModelWalkTests {
  /// Where AWS is known to do otherwise than its model says.
  struct Exception: Sendable {
    /// nil: any.
    let operation: String?
    let field: String
    let kind: ModelViolation.Kind
    /// What the refusal says instead of the model's words; nil: anything.
    let words: String?

    init(_ operation: String?, _ field: String, _ kind: ModelViolation.Kind, _ words: String?) {
      self.operation = operation
      self.field = field
      self.kind = kind
      self.words = words
    }
  }

  static let exceptions: [Exception] =
    [
      // A name that is too long is not found (404); CreateFunction has a rule of its own.
      .init(nil, "functionName", .tooLong, nil),
      .init("CreateFunction", "functionName", .tooLong, "Member must have length less than or equal to 140"),
      // AWS's answers show another pattern than the model of the SDKs.
      .init("ListTags", "resource", .pattern, "Member must satisfy regular expression pattern: arn:"),
      .init("TagResource", "resource", .pattern, "Member must satisfy regular expression pattern: arn:"),
      .init("UntagResource", "resource", .pattern, "Member must satisfy regular expression pattern: arn:"),
      .init("GetLayerVersionByArn", "arn", .pattern, "Member must satisfy regular expression pattern: (arn:"),
      // Nor are AWS's runtimes those of the SDKs; and it says of the list what it says of others' elements.
      .init("ListLayers", "compatibleRuntime", .enumeration, "Member must satisfy enum value set: ["),
      .init("ListLayerVersions", "compatibleRuntime", .enumeration, "Member must satisfy enum value set: ["),
      .init("PublishLayerVersion", "compatibleRuntimes", .element, "Member must satisfy enum value set: ["),
      // Checked after the rest, and under another code (LambdaValidationTests).
      .init("CreateFunction", "runtime", .enumeration, nil),
      .init("UpdateFunctionConfiguration", "runtime", .enumeration, nil),
      .init("GetLayerVersionByArn", "arn", .pattern, "Member must satisfy regular expression pattern: (arn:(aws"),
      // AWS's answers show other runtimes than the model of the SDKs, and one form for a list and a value (LayerTests).
      .init("ListLayers", "compatibleRuntime", .enumeration, "Member must satisfy enum value set: [ruby3.5, ruby2.6"),
      .init(
        "ListLayerVersions", "compatibleRuntime", .enumeration, "Member must satisfy enum value set: [ruby3.5, ruby2.6"),
      .init("PublishLayerVersion", "compatibleRuntimes", .element, "Member must satisfy enum value set: [nodejs20.x"),
    ] + largerInModel

  /// The model has the bounds of functions on managed instances; others are held to these.
  private static let largerInModel: [Exception] = ["CreateFunction", "UpdateFunctionConfiguration"].flatMap { name in
    [("timeout", 900), ("memorySize", 10_240), ("ephemeralStorage.size", 10_240)].map { (field, most) in
      Exception(name, field, .tooLarge, "Member must have value less than or equal to \(most)")
    }
  }

  /// Operations whose requests are not checked as the model says yet. May only shrink.
  static let unfinished: Set<String> = []

  static let names = LambdaService.rows.filter(\.isWritten).map { String($0.route.name.dropFirst("Lambda.".count)) }

  private func exception(_ name: String, _ field: String, _ kind: ModelViolation.Kind) -> Exception? {
    ModelWalkTests.exceptions.last { ($0.operation ?? name) == name && $0.field == field && $0.kind == kind }
  }

  private func send(_ request: ModelRequest, _ lambda: LambdaFixture, more: [JSONValue.Member] = []) async throws
    -> Answer
  {
    try await lambda.call(
      HTTPMethod(rawValue: request.operation.method), request.uri, request.body(more),
      headers: HTTPHeaders(request.headers))
  }

  private func isRefusal(_ answer: Answer, _ violation: ModelViolation) -> Bool {
    guard answer.status == 400 else { return false }
    switch violation.refusal {
    case .serialization: return answer.code == "SerializationException"
    case .constraint(let text):
      return answer.code == "ValidationException" && answer.message.hasCount
        && answer.message.contains("at '\(violation.field)' failed to satisfy constraint: \(text)")
    case .values(let values):
      let words = "at '\(violation.field)' failed to satisfy constraint: Member must satisfy enum value set: ["
      guard answer.code == "ValidationException", answer.message.hasCount,
        let start = answer.message.firstRange(of: words)?.upperBound,
        let end = answer.message[start...].firstIndex(of: "]")
      else { return false }
      return Set(answer.message[start..<end].split(separator: ", ")) == Set(values.map { $0[...] })
    }
  }

  private func checked(_ name: String, isStrict: Bool = false, _ body: () async throws -> Void) async throws {
    if ModelWalkTests.unfinished.contains(name) {
      await withKnownIssue("\(name) does not check all that its model says", isIntermittent: !isStrict, body)
    } else {
      try await body()
    }
  }

  @Test(arguments: names) func everyViolationIsRefused(name: String) async throws {
    let operation = try #require(ServiceModel.lambda.operations[name])
    let lambda = try LambdaFixture()
    try await checked(name, isStrict: true) {
      var single: [(violation: ModelViolation, message: String)] = []
      for violation in ModelWalker.walk(operation).violations {
        let request = ModelRequest(operation).setting(violation.member, violation.value)
        let answer = try await send(request, lambda)
        let isRight =
          if let exception = exception(name, violation.field, violation.kind) {
            exception.words.map { answer.message.contains($0) } ?? true
          } else { isRefusal(answer, violation) }
        if !isRight {
          Issue.record(
            """
            \(name): \(violation.field) \(violation.kind.rawValue): wanted \(violation.refusal), \
            got \(answer.status) \(answer.code ?? "") \(answer.message.prefix(1000)) \
            for \(request.uri.prefix(300)) \(request.body().prefix(300))
            """)
        }
        if answer.message.hasPrefix("1 validation error detected: ") { single.append((violation, answer.message)) }
      }
      // Two at once come out in one message.
      guard let first = single.first,
        let second = single.first(where: { $0.violation.member.name != first.violation.member.name })
      else { return }
      let both = ModelRequest(operation).setting(first.violation.member, first.violation.value)
        .setting(second.violation.member, second.violation.value)
      let message = try await send(both, lambda).message
      #expect(message.hasPrefix("2 validation errors detected: "), "\(name): \(message)")
      for part in [first, second] {
        #expect(message.contains(part.message.dropFirst("1 validation error detected: ".count)), "\(name): \(message)")
      }
    }
  }

  @Test(arguments: names) func nothingElseIsRefused(name: String) async throws {
    let operation = try #require(ServiceModel.lambda.operations[name])
    let lambda = try LambdaFixture()
    try await checked(name) {
      for boundary in ModelWalker.walk(operation).boundaries
      where exception(name, boundary.field, .tooLarge) == nil && exception(name, boundary.field, .element) == nil {
        let request = ModelRequest(operation).setting(boundary.member, boundary.value)
        let answer = try await send(request, lambda)
        let isRefused = answer.message.contains("at '\(boundary.field)' failed to satisfy constraint")
        if isRefused || answer.code == "SerializationException" {
          Issue.record(
            "\(name): \(boundary.field): \(answer.message) for \(request.uri) \(request.body().prefix(300))")
        }
      }
      for request in [ModelRequest(operation), ModelRequest(operation, all: true)] {
        for more in [[], [JSONValue.Member("NoSuchMember", .integer(1))]] {
          let answer = try await send(request, lambda, more: more)
          let isKnown = ModelWalkTests.exceptions.contains {
            $0.operation == name && $0.kind == .element && answer.message.contains("at '\($0.field)' failed")
          }
          if answer.code == "ValidationException" && !isKnown || answer.code == "SerializationException" {
            Issue.record("\(name): \(answer.message) for \(request.uri) \(request.body(more))")
          }
        }
      }
    }
  }
}

extension String {
  /// `1 validation error detected: `, or how many there are.
  fileprivate var hasCount: Bool {
    let words = split(separator: " ", maxSplits: 4)
    return words.count == 5 && Int(words[0]) != nil && words[1] == "validation"
      && words[2] == (words[0] == "1" ? "error" : "errors") && words[3] == "detected:"
  }
}
