// What requests say of an alias: its name, its version and its routing, and what the service makes of them.
// https://docs.aws.amazon.com/lambda/latest/api/API_CreateAlias.html
import MartletCore
import MartletWire

enum AliasRequest {
  static let namePattern = Pattern(#"(?!^[0-9]+$)([a-zA-Z0-9-_]+)"#)
  static let nameConstraints: [Constraint] = [.length(1, 128), .pattern(namePattern)]
  static let versionPattern = Pattern(#"(\$LATEST(\.PUBLISHED)?|[0-9]+)"#)
  private static let weightPattern = Pattern(#"[0-9]+"#)

  /// The members of `RoutingConfig`; nil if the request has none, which leaves the routing as it is.
  static func routing(_ m: Members) -> [(version: String, weight: Double)]? {
    m.object("RoutingConfig").map { object in
      let weights = object.numbers(
        "AdditionalVersionWeights", keys: [.length(1, 1024), .pattern(weightPattern)], in: 0.0...1.0)
      return (weights ?? []).map { ($0.key, $0.value) }
    }
  }

  /// A version that an alias can point to.
  /// - Throws: 404 if there is none.
  static func version(_ text: String, of record: FunctionRecord) throws(AWSError) -> VersionName {
    guard let version = VersionName(text), record.configuration(version) != nil else {
      throw .functionNotFound(FunctionReference(key: record.key, qualifier: text).arn)
    }
    return version
  }

  /// The second version of an alias that points to `main`.
  static func additional(
    _ routing: [(version: String, weight: Double)], main: VersionName, of record: FunctionRecord
  ) throws(AWSError) -> (version: VersionName, weight: Double)? {
    guard routing.count <= 1 else { throw .tooManyAdditionalVersions() }
    guard let first = routing.first else { return nil }
    if main == .latest { throw .latestInRouting() }
    if VersionName(first.version) == main { throw .additionalVersionIsMain(main) }
    return (try version(first.version, of: record), first.weight)
  }
}

extension Reader {
  /// The path's alias `Name`.
  func aliasName() -> String { path("Name", .length(1, 128), .pattern(AliasRequest.namePattern)) }
}

/// An alias as an answer.
struct AliasOutput: Writable, Sendable {
  let key: FunctionKey
  let alias: Alias

  func write(to w: inout Writer) { w.body { alias.write(to: &$0, of: key) } }
}
