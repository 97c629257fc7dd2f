// A code signing configuration: who may sign the code of the functions that use it, and what becomes of other code.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-codesigning.html and docs/code-signing.md
import MartletCore
import MartletStore
import MartletWire

package struct CodeSigningConfig: Document, TaggedRecord {
  enum Policy: String, Sendable {
    /// Code without a signature is deployed all the same.
    case warn = "Warn"
    case enforce = "Enforce"
  }

  /// Its name is the id: `csc-` and 17 digits.
  package let key: ResourceKey
  var description: String?
  /// Versions of signing profiles whose signatures are trusted.
  var profiles: [String]
  var policy: Policy
  var lastModified: Timestamp
  var tags: [(key: String, value: String)] = []

  var arn: String { CodeSigningConfig.arn(key) }

  private static func arn(_ key: ResourceKey) -> String {
    ARN(service: "lambda", place: key.place, resource: "code-signing-config:\(key.name)").description
  }

  static let pattern = Pattern(
    #"arn:(aws[a-zA-Z-]*)?:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:code-signing-config:csc-[a-z0-9]{17}"#
  )
  private static let profilePattern = Pattern(
    #"arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1})?:(\d{12})?:(.*)"#
  )

  /// Where the configuration with an ARN is kept; nil if that is not in the caller's account and region. Functions are
  /// told its ARN, so there is one of it only, though the pattern allows other partitions.
  static func key(_ arn: String, in place: Place) -> ResourceKey? {
    let key = ResourceKey(place: place, name: arn.split(separator: ":").last.map { String($0) } ?? "")
    return self.arn(key) == arn ? key : nil
  }

  /// Reads a request's `AllowedPublishers`.
  static func profiles(_ m: Members, isRequired: Bool) -> [String]? {
    let publishers = isRequired ? m.requiredObject("AllowedPublishers") : m.object("AllowedPublishers")
    return publishers?.requiredStrings(
      "SigningProfileVersionArns", count: 1...20, each: [.length(0, 10_000), .pattern(profilePattern)])
  }

  /// Reads a request's `CodeSigningPolicies`.
  static func policy(_ m: Members) -> Policy? {
    m.object("CodeSigningPolicies")?.string("UntrustedArtifactOnDeployment", .oneOf(["Warn", "Enforce"]))
      .flatMap { Policy(rawValue: $0) }
  }

  func write(to w: inout MemberWriter) {
    w.member("CodeSigningConfigId", key.name)
    w.member("CodeSigningConfigArn", arn)
    w.member("Description", description)
    w.object("AllowedPublishers") { $0.member("SigningProfileVersionArns", profiles) }
    w.object("CodeSigningPolicies") { $0.member("UntrustedArtifactOnDeployment", policy.rawValue) }
    w.member("LastModified", lastModified.lambdaLastModified)
  }

  // MARK: - In the database

  package static let kind = "code-signing-config"

  package var document: String {
    JSONValue.members(
      ("Description", description.map { .string($0) }), ("Profiles", .array(profiles.map { .string($0) })),
      ("Policy", .string(policy.rawValue)), ("LastModified", .integer(lastModified.nanoseconds)),
      ("Tags", .object(tags.map { .init($0.key, .string($0.value)) }))
    ).text
  }
}

extension CodeSigningConfig {
  package init(document: String, key: ResourceKey) throws(Fault) {
    guard let json = try? JSONValue(parsing: document), let profiles = json["Profiles"]?.array,
      let policy = json["Policy"]?.string.flatMap({ Policy(rawValue: $0) }),
      let modified = json["LastModified"]?.integer
    else { throw Fault("read code signing configurations", "\(key.name) is damaged: \(document.prefix(200))") }
    self.init(
      key: key, description: json["Description"]?.string, profiles: profiles.compactMap(\.string), policy: policy,
      lastModified: Timestamp(nanoseconds: Int64(modified)),
      tags: (json["Tags"]?.members ?? []).map { ($0.name, $0.value.string ?? "") })
  }
}

/// A configuration as operations answer it.
struct CodeSigningConfigAnswer: Writable, Sendable {
  let config: CodeSigningConfig

  func write(to w: inout Writer) {
    w.body { $0.object("CodeSigningConfig") { config.write(to: &$0) } }
  }
}

extension Reader {
  /// Reads the path's `CodeSigningConfigArn`; what is wrong with it is recorded.
  func codeSigningConfigARN() -> String {
    path("CodeSigningConfigArn", .length(nil, 200), .pattern(CodeSigningConfig.pattern))
  }
}

extension LambdaService {
  /// - Throws: AWS's 404 if there is none.
  func codeSigningConfig(_ arn: String, _ call: Call) throws(AWSError) -> CodeSigningConfig {
    guard let key = CodeSigningConfig.key(arn, in: call.place), let config = resources.codeSigningConfigs.find(key)
    else { throw .codeSigningConfigNotFound(arn) }
    return config
  }
}
