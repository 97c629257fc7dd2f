// A configuration of a bucket: how it is named on the wire, what it may say, and what is said where there is none.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingBucket.html#bucket-config-options-intro
import MartletCore
import MartletStore
import MartletWire

struct S3Setting: Sendable {
  enum Absence: Sendable {
    /// Reading is refused.
    case error(@Sendable (String) -> AWSError)
    /// Reading shows this.
    case document(XMLElement)
  }

  /// The query parameter that names it, which is also its name in the table.
  let kind: String
  /// The document's element.
  let root: String
  let schema: S3Schema
  /// A bucket has several, each with an `Id`.
  var isMany = false
  let absence: Absence
  /// Looks at what the schema cannot say. The session is the one of the transaction that will keep the document.
  var check: @Sendable (XMLElement, S3Bucket, SQLSession) throws(Fault) -> AWSError? = { _, _, _ in nil }
}

extension S3Setting {
  /// Gives the rules ids that came without one.
  func completed(_ document: XMLElement, newID: () -> String) -> XMLElement {
    let isNamed = ["lifecycle", "replication"].contains(kind)
    guard isNamed || kind == "notification" else { return document }
    var document = document
    document.children = document.children.map { rule in
      let name = isNamed ? "ID" : "Id"
      guard rule.name == "Rule" || rule.name.hasSuffix("Configuration"), rule.name != "EventBridgeConfiguration",
        (rule[name] ?? "").isEmpty
      else { return rule }
      var rule = rule
      rule.children = [XMLElement(name, text: newID())] + rule.children.filter { $0.name != name }
      return rule
    }
    return document
  }

  private static func empty(_ root: String) -> Absence { .document(XMLElement(root)) }

  static let abac = S3Setting(
    kind: "abac", root: "AbacStatus", schema: .abac,
    absence: .document(XMLElement("AbacStatus", children: [XMLElement("Status", text: "Disabled")])))

  static let accelerate = S3Setting(
    kind: "accelerate", root: "AccelerateConfiguration", schema: .accelerate,
    absence: empty("AccelerateConfiguration"),
    check: { document, bucket, _ in
      guard document["Status"] != nil else { return .malformedXML() }
      return bucket.name.contains(".")
        ? .invalidRequest("S3 Transfer Acceleration is not supported for buckets with periods (.) in their names")
        : nil
    })

  static let cors = S3Setting(
    kind: "cors", root: "CORSConfiguration", schema: .cors,
    absence: .error { .noSetting("NoSuchCORSConfiguration", "The CORS configuration does not exist", $0) },
    check: { document, _, _ in S3CORS.refusal(of: document) })

  static let encryption = S3Setting(
    kind: "encryption", root: "ServerSideEncryptionConfiguration", schema: .encryption,
    absence: .document(S3Encryption.standard), check: { document, _, _ in S3Encryption.refusal(of: document) })

  static let lifecycle = S3Setting(
    kind: "lifecycle", root: "LifecycleConfiguration", schema: .lifecycle,
    absence: .error {
      .noSetting("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist", $0)
    },
    check: { document, _, _ in S3Lifecycle.refusal(of: document) })

  static let logging = S3Setting(
    kind: "logging", root: "BucketLoggingStatus", schema: .logging, absence: empty("BucketLoggingStatus"),
    check: { document, bucket, session throws(Fault) in
      guard let target = document.child("LoggingEnabled")?["TargetBucket"] else { return nil }
      guard let found = try session.bucket(target) else {
        return .invalidTargetBucket("The target bucket for logging does not exist", target)
      }
      guard found.place == bucket.place else {
        return .invalidTargetBucket(
          "The owner for the bucket to be logged and the target bucket must be the same.", target)
      }
      return nil
    })

  static let notification = S3Setting(
    kind: "notification", root: "NotificationConfiguration", schema: .notification,
    absence: empty("NotificationConfiguration"))

  static let objectLock = S3Setting(
    kind: "object-lock", root: "ObjectLockConfiguration", schema: .objectLock,
    absence: .error {
      .noSetting(
        "ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket", $0)
    },
    check: { document, bucket, _ in S3Lock.refusal(of: document, bucket) })

  static let ownershipControls = S3Setting(
    kind: "ownershipControls", root: "OwnershipControls", schema: .ownershipControls,
    absence: .error {
      .noSetting("OwnershipControlsNotFoundError", "The bucket ownership controls were not found", $0)
    },
    check: { document, _, _ in document.children.count == 1 ? nil : .malformedXML() })

  static let publicAccessBlock = S3Setting(
    kind: "publicAccessBlock", root: "PublicAccessBlockConfiguration", schema: .publicAccessBlock,
    absence: .error {
      .noSetting(
        "NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found", $0)
    },
    check: { document, _, _ in document.children.isEmpty ? .malformedXML() : nil })

  static let replication = S3Setting(
    kind: "replication", root: "ReplicationConfiguration", schema: .replication,
    absence: .error {
      .noSetting(
        "ReplicationConfigurationNotFoundError", "The replication configuration was not found", $0)
    },
    check: { document, bucket, session throws(Fault) in
      try S3Replication.refusal(of: document, bucket, session)
    })

  static let requestPayment = S3Setting(
    kind: "requestPayment", root: "RequestPaymentConfiguration", schema: .requestPayment,
    absence: .document(
      XMLElement("RequestPaymentConfiguration", children: [XMLElement("Payer", text: "BucketOwner")])))

  static let tagging = S3Setting(
    kind: "tagging", root: "Tagging", schema: .tagging,
    absence: .error { .noSetting("NoSuchTagSet", "The TagSet does not exist", $0) },
    check: { document, _, _ in S3Tags(document).refusal(isObject: false) })

  static let website = S3Setting(
    kind: "website", root: "WebsiteConfiguration", schema: .website,
    absence: .error {
      .noSetting(
        "NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration", $0)
    },
    check: { document, _, _ in S3Website.refusal(of: document) })

  // MARK: - Several of a bucket

  static let analytics = several("analytics", "AnalyticsConfiguration", .analytics)
  static let intelligentTiering = several(
    "intelligent-tiering", "IntelligentTieringConfiguration", .intelligentTiering)
  static let inventory = several("inventory", "InventoryConfiguration", .inventory)
  static let metrics = several("metrics", "MetricsConfiguration", .metrics)

  private static func several(_ kind: String, _ root: String, _ schema: S3Schema) -> S3Setting {
    S3Setting(
      kind: kind, root: root, schema: schema, isMany: true,
      absence: .error { _ in .noConfiguration() })
  }
}

extension SQLSession {
  /// A configuration as it is kept; nil if there is none.
  func document(of setting: S3Setting, _ bucket: String, id: String = "") throws(Fault) -> XMLElement? {
    try text(of: setting.kind, bucket, id: id).map { text throws(Fault) in try XMLElement(document: text) }
  }

  /// What is kept under a name.
  func text(of kind: String, _ bucket: String, id: String = "") throws(Fault) -> String? {
    try rows(
      "SELECT document FROM s3_settings WHERE bucket = ? AND kind = ? AND id = ?",
      [.text(bucket), .text(kind), .text(id)]
    ).first?.text("document")
  }

  func documents(of setting: S3Setting, _ bucket: String) throws(Fault) -> [XMLElement] {
    var list: [XMLElement] = []
    for row in try rows(
      "SELECT document FROM s3_settings WHERE bucket = ? AND kind = ? ORDER BY id",
      [.text(bucket), .text(setting.kind)])
    {
      list.append(try XMLElement(document: row.text("document")))
    }
    return list
  }

  func keep(_ document: String, as kind: String, of bucket: String, id: String = "") throws(Fault) {
    try execute(
      """
      INSERT INTO s3_settings (bucket, kind, id, document) VALUES (?, ?, ?, ?)
      ON CONFLICT (bucket, kind, id) DO UPDATE SET document = excluded.document
      """, [.text(bucket), .text(kind), .text(id), .text(document)])
  }

  func forget(_ kind: String, of bucket: String, id: String = "") throws(Fault) {
    try execute(
      "DELETE FROM s3_settings WHERE bucket = ? AND kind = ? AND id = ?", [.text(bucket), .text(kind), .text(id)])
  }

  /// All that was said of a bucket goes with it.
  func forgetSettings(of bucket: String) throws(Fault) {
    try execute("DELETE FROM s3_settings WHERE bucket = ?", [.text(bucket)])
  }
}
