// An alias: a name that points to one version, or divides its invocations between two.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-aliases.html
import MartletCore
import MartletWire

package struct Alias: Attachment {
  package let name: String
  package var version: VersionName
  package var description: String
  /// A second version, and the part of the invocations that it gets: 0 to 1.
  package var additional: (version: VersionName, weight: Double)?
  package var revisionID: RequestID

  package init(
    name: String, version: VersionName, description: String, additional: (version: VersionName, weight: Double)?,
    revisionID: RequestID
  ) {
    self.name = name
    self.version = version
    self.description = description
    self.additional = additional
    self.revisionID = revisionID
  }

  /// The version that one invocation runs.
  /// - Parameter draw: 64 random bits.
  package func draw(_ draw: UInt64) -> VersionName {
    guard let additional else { return version }
    // 53 bits fill a Double's fraction: a number from 0 up to, and without, 1.
    let part = Double(draw >> 11) * 0x1p-53
    return part < additional.weight ? additional.version : version
  }

  /// Every version that invocations of the alias may run.
  package var versions: [VersionName] { [version] + (additional.map { [$0.version] } ?? []) }

  package static func == (a: Alias, b: Alias) -> Bool {
    a.name == b.name && a.version == b.version && a.description == b.description && a.revisionID == b.revisionID
      && a.additional?.version == b.additional?.version && a.additional?.weight == b.additional?.weight
  }
}

extension Alias {
  package var json: JSONValue {
    .members(
      ("Name", .string(name)), ("FunctionVersion", .string(version.description)), ("Description", .string(description)),
      ("AdditionalVersion", additional.map { .string($0.version.description) }),
      ("AdditionalWeight", additional.map { .double($0.weight) }), ("RevisionId", .string(revisionID.description)))
  }

  package init?(json: JSONValue) {
    guard let name = json["Name"]?.string, let version = json["FunctionVersion"]?.string.flatMap({ VersionName($0) }),
      let revision = json["RevisionId"]?.string.flatMap({ RequestID($0) })
    else { return nil }
    var additional: (version: VersionName, weight: Double)?
    if let second = json["AdditionalVersion"]?.string.flatMap({ VersionName($0) }) {
      guard let weight = json["AdditionalWeight"]?.number else { return nil }
      additional = (second, weight)
    }
    self.init(
      name: name, version: version, description: json["Description"]?.string ?? "", additional: additional,
      revisionID: revision)
  }

  /// The alias as answers show it.
  func write(to w: inout MemberWriter, of key: FunctionKey) {
    w.member("AliasArn", FunctionReference(key: key, qualifier: name).arn)
    w.member("Name", name)
    w.member("FunctionVersion", version.description)
    w.member("Description", description)
    if let additional {
      w.object("RoutingConfig") {
        $0.object("AdditionalVersionWeights") { $0.member(additional.version.description, additional.weight) }
      }
    }
    w.member("RevisionId", revisionID.description)
  }
}
