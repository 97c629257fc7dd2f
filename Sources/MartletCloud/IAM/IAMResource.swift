// What every kind of thing in IAM has: a name in its account, a path, an id, tags, and a place in the database.
import MartletCore
import MartletStore
import MartletWire

/// How IAM speaks of a kind of thing.
struct IAMNoun: Sendable {
  /// `role`
  let word: String
  /// `Role`, also the beginning of the member that carries its name.
  let title: String
  /// Of its ids.
  let prefix: String
  /// Characters of a new name.
  let longest: Int
  /// Characters of a name in a request about something that is there.
  var longestGiven: Int { word == "role" ? 64 : 128 }
}

struct IAMTag: Sendable, Equatable {
  let key: String
  let value: String
}

/// What all kinds share.
struct IAMEntity: Sendable {
  var name: String
  /// Begins and ends with `/`.
  var path: String
  let id: String
  let created: Timestamp
  var tags: [IAMTag] = []
}

protocol IAMResource: Document {
  static var noun: IAMNoun { get }
  static func catalogue(_ iam: IAMService) -> Catalogue<Self>
  var key: ResourceKey { get set }
  var entity: IAMEntity { get set }
  var arn: String { get }
  /// Everything but the key.
  var json: JSONValue { get }
  init?(json: JSONValue, key: ResourceKey)
  /// The members that operations show.
  func write(to w: inout MemberWriter)
}

extension IAMResource {
  var document: String { json.text }

  init(document: String, key: ResourceKey) throws(Fault) {
    guard let json = try? JSONValue(parsing: document), let record = Self(json: json, key: key) else {
      throw Fault("read \(Self.kind) \(key.name)", "its record in the database is damaged")
    }
    self = record
  }

  var arn: String { "arn:aws:iam::\(key.place.account):\(Self.noun.word)\(entity.path)\(entity.name)" }

  /// Path, name, id, ARN and date, in the order and under the names that each kind has.
  func writeEntity(to w: inout MemberWriter) {
    w.member("Path", entity.path)
    w.member("\(Self.noun.title)Name", entity.name)
    w.member("\(Self.noun.title)Id", entity.id)
    w.member("Arn", arn)
    w.moment("CreateDate", entity.created)
  }

  func writeTags(to w: inout MemberWriter) {
    guard !entity.tags.isEmpty else { return }
    w.list("Tags", entity.tags) { $1.write(to: &$0) }
  }
}

extension IAMTag {
  func write(to w: inout MemberWriter) {
    w.member("Key", key)
    w.member("Value", value)
  }
}

extension IAMEntity {
  var json: JSONValue {
    .members(
      ("name", .string(name)), ("path", .string(path)), ("id", .string(id)),
      ("created", .integer(created.milliseconds)),
      (
        "tags",
        tags.isEmpty ? nil : .array(tags.map { .members(("key", .string($0.key)), ("value", .string($0.value))) })
      ))
  }

  init?(json: JSONValue?) {
    guard let json, let name = json["name"]?.string, let path = json["path"]?.string, let id = json["id"]?.string,
      let created = json["created"]?.integer
    else { return nil }
    self.name = name
    self.path = path
    self.id = id
    self.created = Timestamp(milliseconds: Int64(created))
    tags = (json["tags"]?.array ?? []).map {
      IAMTag(key: $0["key"]?.string ?? "", value: $0["value"]?.string ?? "")
    }
  }
}
