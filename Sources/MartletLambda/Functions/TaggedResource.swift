// What the tag operations name: a function by its ARN. The rules of tags themselves.
// https://docs.aws.amazon.com/lambda/latest/api/API_TagResource.html
import MartletCore
import MartletWire

extension Tags {
  /// Makes new tags of old ones, or refuses to.
  typealias Change = @Sendable ([(key: String, value: String)]) throws(AWSError) -> [(key: String, value: String)]

  static let textPattern = Pattern(#"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)"#)
  static let keyConstraints: [Constraint] = [.length(1, 128), .pattern(textPattern)]
  static let valueConstraints: [Constraint] = [.length(0, 256), .pattern(textPattern)]

  /// For keys in the query, which the reader does not check as it checks a body's.
  static func isKey(_ text: String) -> Bool {
    (1...128).contains(text.unicodeScalars.count) && textPattern.matches(text)
  }

  static func check(_ tags: [(key: String, value: String)], _ limits: LambdaLimits) throws(AWSError) {
    guard tags.count <= limits.tags else { throw .tooManyTags() }
    guard !tags.contains(where: { $0.key.lowercased().hasPrefix("aws:") }) else { throw .reservedTagKey() }
  }

  /// `old` with `new`: a key keeps its place when its value changes.
  static func merge(_ old: [(key: String, value: String)], _ new: [(key: String, value: String)])
    -> [(key: String, value: String)]
  {
    var merged = old
    for tag in new {
      if let i = merged.firstIndex(where: { $0.key == tag.key }) { merged[i] = tag } else { merged.append(tag) }
    }
    return merged
  }
}

extension Reader {
  /// Reads the path's `Resource`; what is wrong with it is recorded.
  func taggedResource() -> String { path("Resource", .length(1, 10_000), .pattern(taggablePattern)) }
}

/// As AWS's answers show it. The model of the SDKs has since put network connectors in and taken layers out.
private let taggablePattern = Pattern(
  #"arn:(aws[a-zA-Z-]*):lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:(function:[a-zA-Z0-9-_]+(:(\$LATEST|[a-zA-Z0-9-_]+))?|layer:([a-zA-Z0-9-_]+)|code-signing-config:csc-[a-z0-9]{17}|event-source-mapping:[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|capacity-provider:[a-zA-Z0-9-_]+)"#
)

extension LambdaService {
  /// The function whose tags are meant.
  /// - Parameter resource: matches the pattern above.
  func taggedFunction(_ resource: String, _ call: Call, _ operation: String) throws(AWSError) -> FunctionReference {
    let kind = ARN(resource)?.resource.prefix { $0 != ":" } ?? ""
    switch kind {
    case "function": break
    // Neither can be made yet, so none can be found.
    case "event-source-mapping": throw .eventSourceMappingNotFound(resource)
    case "code-signing-config": throw .codeSigningConfigurationNotFound(resource)
    default: throw .notImplemented("\(operation) of a \(kind)")
    }
    let reference = try self.reference(FunctionNameParts(resource), qualifier: nil, call)
    guard reference.qualifier == nil else { throw .tagsOfVersion() }
    guard functions.find(reference.key) != nil else { throw .functionNotFound(resource) }
    return reference
  }

  /// Changes the tags of a function. Its revision changes with them.
  func changeTags(
    _ reference: FunctionReference, _ body: @escaping Tags.Change
  ) async throws(AWSError) {
    let world = world
    try await functions.change(reference.key) { (after: inout FunctionRecord?) throws(AWSError) -> Void in
      guard var record = after else { throw .functionNotFound(reference.unqualifiedARN) }
      record.tags = try body(record.tags)
      record.latest.revisionID = RequestID(from: world)
      after = record
    }
  }
}
