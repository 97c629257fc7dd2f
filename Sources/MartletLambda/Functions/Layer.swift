// A layer: packages that functions find in /opt, version by version. A layer with all of its versions is one record.
// https://docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html
import MartletCore
import MartletStore
import MartletWire

/// One version of a layer; nothing of it but its policy ever changes.
package struct LayerVersion: Sendable, Equatable {
  package let number: Int
  package let description: String
  package let created: Timestamp
  package let package: CodePackage
  /// nil: not said. Functions of other runtimes can use the layer all the same.
  package let runtimes: [String]?
  package let architectures: [String]?
  package let license: String?
  /// Who else may use the version; nil: nobody.
  package var policy: LayerPolicy?

  package init(
    number: Int, description: String, created: Timestamp, package: CodePackage, runtimes: [String]?,
    architectures: [String]?, license: String?, policy: LayerPolicy? = nil
  ) {
    self.number = number
    self.description = description
    self.created = created
    self.package = package
    self.runtimes = runtimes
    self.architectures = architectures
    self.license = license
    self.policy = policy
  }

  /// True if the version says that it is made for what is asked for; nil asks for nothing.
  func fits(runtime: String?, architecture: String?) -> Bool {
    (runtime.map { runtimes?.contains($0) ?? false } ?? true)
      && (architecture.map { architectures?.contains($0) ?? false } ?? true)
  }
}

package struct Layer: Sendable {
  package let key: ResourceKey
  package var versions: [Int: LayerVersion] = [:]
  /// The number that the next version gets. Numbers are never used twice, so the record outlives its last version.
  package var nextVersion = 1
  package var tags: [(key: String, value: String)] = []

  package init(key: ResourceKey) { self.key = key }

  /// `arn:…:layer:name`
  package var arn: String { ARN(service: "lambda", place: key.place, resource: "layer:\(key.name)").description }

  package func arn(of version: Int) -> String { "\(arn):\(version)" }

  /// Bytes of all packages.
  package var codeSize: Int { versions.values.reduce(0) { $0 + $1.package.size } }

  /// The newest version first.
  package var newestFirst: [LayerVersion] { versions.sorted { $0.key > $1.key }.map(\.value) }
}

// MARK: - In answers

extension LayerVersion {
  /// The members that every answer about a version has.
  func write(to w: inout MemberWriter, of layer: Layer) {
    w.member("LayerVersionArn", layer.arn(of: number))
    w.member("Version", number)
    w.member("Description", description)
    w.member("CreatedDate", created.lambdaLastModified)
    w.member("CompatibleArchitectures", architectures)
    w.member("CompatibleRuntimes", runtimes)
    w.member("LicenseInfo", license)
  }
}

/// A version of a layer as PublishLayerVersion and GetLayerVersion answer it.
struct LayerVersionAnswer: Writable, Sendable {
  let layer: Layer
  let version: LayerVersion
  /// Where the package can be fetched for ten minutes.
  let location: String

  func write(to w: inout Writer) {
    w.body {
      $0.object("Content") {
        $0.member("Location", location)
        $0.member("CodeSha256", version.package.sha256)
        $0.member("CodeSize", version.package.size)
      }
      $0.member("LayerArn", layer.arn)
      version.write(to: &$0, of: layer)
    }
  }
}

// MARK: - In the database

extension Layer: Document {
  package static let kind = "layer"

  package var document: String {
    JSONValue.members(
      ("NextVersion", .integer(Int64(nextVersion))),
      ("Tags", .object(tags.map { .init($0.key, .string($0.value)) })),
      ("Versions", .array(versions.sorted { $0.key < $1.key }.map(\.value.json)))
    ).text
  }

  package init(document: String, key: ResourceKey) throws(Fault) {
    guard let json = try? JSONValue(parsing: document), let next = json["NextVersion"]?.integer,
      let versions = json["Versions"]?.array
    else { throw Layer.damaged(document) }
    self.key = key
    nextVersion = next
    tags = (json["Tags"]?.members ?? []).map { ($0.name, $0.value.string ?? "") }
    for member in versions {
      guard let version = LayerVersion(json: member) else { throw Layer.damaged(document) }
      self.versions[version.number] = version
    }
  }

  private static func damaged(_ document: String) -> Fault {
    Fault("read layers from the database", "a row is damaged: \(document.prefix(200))")
  }
}

extension LayerVersion {
  fileprivate var json: JSONValue {
    .members(
      ("Version", .integer(Int64(number))), ("Description", .string(description)),
      ("Created", .integer(created.nanoseconds)), ("Package", package.json),
      ("Runtimes", runtimes.map { .array($0.map { .string($0) }) }),
      ("Architectures", architectures.map { .array($0.map { .string($0) }) }),
      ("License", license.map { .string($0) }), ("Policy", policy?.json))
  }

  fileprivate init?(json: JSONValue) {
    guard let number = json["Version"]?.integer, let created = json["Created"]?.integer,
      let package = json["Package"].flatMap({ CodePackage(json: $0) })
    else { return nil }
    var policy: LayerPolicy?
    if let kept = json["Policy"] {
      policy = LayerPolicy(json: kept)
      if policy == nil { return nil }
    }
    self.init(
      number: number, description: json["Description"]?.string ?? "",
      created: Timestamp(nanoseconds: Int64(created)), package: package,
      runtimes: json["Runtimes"]?.array?.compactMap(\.string),
      architectures: json["Architectures"]?.array?.compactMap(\.string), license: json["License"]?.string,
      policy: policy)
  }
}

extension CodePackage {
  package var json: JSONValue {
    .members(
      ("Key", .string(key)), ("Sha256", .string(sha256)), ("Size", .integer(Int64(size))),
      ("UnpackedSize", .integer(Int64(unpackedSize))))
  }

  package init?(json: JSONValue) {
    guard let key = json["Key"]?.string, let sha256 = json["Sha256"]?.string, let size = json["Size"]?.integer,
      let unpacked = json["UnpackedSize"]?.integer
    else { return nil }
    self.init(key: key, sha256: sha256, size: size, unpackedSize: unpacked)
  }
}
