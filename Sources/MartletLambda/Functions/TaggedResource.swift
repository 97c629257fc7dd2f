// What the tag operations name by its ARN: a function, or one of the other kinds of resource. The rules of tags.
// https://docs.aws.amazon.com/lambda/latest/api/API_TagResource.html
import MartletCore
import MartletStore
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

/// A resource whose tags are meant, and which exists.
struct TaggedResource: Sendable {
  let tags: [(key: String, value: String)]
  let change: Changing

  typealias Changing = @Sendable (_ body: @escaping Tags.Change) async throws(AWSError) -> Void

  private init(tags: [(key: String, value: String)], change: @escaping Changing) {
    self.tags = tags
    self.change = change
  }

  /// - Parameters:
  ///   - resource: matches the pattern above.
  ///   - operation: as an error that names a missing feature shows it.
  /// - Throws: AWS's refusal of this kind of resource if there is no such one in the caller's account and region.
  init(_ resource: String, _ call: Call, _ lambda: LambdaService, _ operation: String) throws(AWSError) {
    let resources = lambda.resources
    switch ARN(resource)?.resource.prefix(while: { $0 != ":" }) {
    case "layer":
      guard let layer = try lambda.taggedLayer(resource, call, operation) else { throw .layerNotFound() }
      self.init(tags: try lambda.tags(of: layer)) { (body) throws(AWSError) in
        try await lambda.changeTags(layer, body)
      }
    case "code-signing-config":
      try self.init(resource, resources.codeSigningConfigs, call, missing: .codeSigningConfigNotFound(resource))
    case "event-source-mapping":
      try self.init(resource, resources.eventSourceMappings, call, missing: .taggedMappingNotFound(resource))
    case "capacity-provider":
      try self.init(resource, resources.capacityProviders, call, missing: .capacityProviderNotFound(resource))
    default:
      let function = try lambda.taggedFunction(resource, call)
      self.init(tags: try lambda.record(function).tags) { (body) throws(AWSError) in
        try await lambda.changeTags(function, body)
      }
    }
  }

  private init<R: TaggedRecord>(
    _ resource: String, _ catalogue: Catalogue<R>, _ call: Call, missing: AWSError
  ) throws(AWSError) {
    guard let arn = ARN(resource), let name = arn.resource.split(separator: ":").last,
      arn.region == call.place.region.name, arn.account == call.place.account.id
    else { throw missing }
    // Names with letters of both cases are not told apart in UUIDs only.
    let key = ResourceKey(place: call.place, name: R.name(String(name)))
    guard let record = catalogue.find(key) else { throw missing }
    self.init(tags: record.tags) { (body) throws(AWSError) in
      try await catalogue.change(key) { (after: inout R?) throws(AWSError) -> Void in
        guard var record = after else { throw missing }
        record.tags = try body(record.tags)
        after = record
      }
    }
  }
}

/// A document that has tags.
protocol TaggedRecord: CatalogueRecord {
  var tags: [(key: String, value: String)] { get set }
  /// The name under which a resource is kept, from the end of its ARN.
  static func name(_ text: String) -> String
}

extension TaggedRecord {
  static func name(_ text: String) -> String { text }
}

extension LambdaService {
  /// The function whose tags are meant.
  fileprivate func taggedFunction(_ resource: String, _ call: Call) throws(AWSError) -> FunctionReference {
    let reference = try self.reference(FunctionNameParts(resource), qualifier: nil, call)
    guard reference.qualifier == nil else { throw .tagsOfVersion() }
    guard functions.find(reference.key) != nil else { throw .functionNotFound(resource) }
    return reference
  }

  /// Changes the tags of a function. Its revision changes with them.
  fileprivate func changeTags(
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
