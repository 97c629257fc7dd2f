// What can be attached to a function, its versions and its aliases. All of it is stored, loaded and deleted with the
// function by the rows below: a new kind is a type, a field of the record and a row.
import MartletCore
import MartletWire

/// Something that is configured for a function or one of its qualifiers, beside the configuration itself.
package protocol Attachment: Sendable, Equatable {
  /// The value as it is kept.
  var json: JSONValue { get }
  /// nil if the value is damaged.
  init?(json: JSONValue)
}

/// How one kind of attachment is kept.
struct AttachmentKind: Sendable {
  /// Never changed once released.
  let name: String
  /// Puts a value from the database into its record. False if it is damaged or its function is not there.
  let read: @Sendable (JSONValue, _ qualifier: String, inout FunctionRecord?) -> Bool
  /// What differs between two states of a record: the qualifiers with their new values, nil for removed ones.
  let changes: @Sendable (FunctionRecord?, FunctionRecord) -> [(qualifier: String, value: String?)]
  /// Forgets what belongs to a qualifier that is no more.
  let remove: @Sendable (_ qualifier: String, inout FunctionRecord) -> Void

  init<A: Attachment>(_ name: String, _ field: any WritableKeyPath<FunctionRecord, [String: A]> & Sendable) {
    self.name = name
    read = { json, qualifier, record in
      guard let value = A(json: json), record != nil else { return false }
      record?[keyPath: field][qualifier] = value
      return true
    }
    changes = { before, after in
      let (old, new) = (before?[keyPath: field] ?? [:], after[keyPath: field])
      var changes: [(qualifier: String, value: String?)] = []
      for (qualifier, value) in new where old[qualifier] != value { changes.append((qualifier, value.json.text)) }
      for qualifier in old.keys where new[qualifier] == nil { changes.append((qualifier, nil)) }
      return changes
    }
    remove = { qualifier, record in record[keyPath: field][qualifier] = nil }
  }

  static let all: [AttachmentKind] = [
    .init("alias", \.aliases),
    .init("code-signing", \.codeSigning),
    .init("directory", \.directories),
    .init("event-invoke-config", \.eventInvokeConfigs),
    .init("policy", \.policies),
    .init("provisioned-concurrency", \.provisioned),
    .init("recursion-config", \.recursionConfigs),
    .init("reserved-concurrency", \.reservedConcurrency),
    .init("runtime-management", \.runtimeManagement),
    .init("scaling-config", \.scalingConfigs),
    .init("serving-image", \.servingImages),
    .init("url", \.urls),
  ]
}

extension FunctionRecord {
  /// Forgets an alias or a published version with everything that is attached to it.
  mutating func removeAttachments(of qualifier: String) {
    for kind in AttachmentKind.all { kind.remove(qualifier, &self) }
  }
}
