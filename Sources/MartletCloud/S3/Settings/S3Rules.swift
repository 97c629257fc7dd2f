// What the schemas of configurations cannot say: which values go together, and which do not.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
import MartletCore
import MartletStore
import MartletWire

/// How objects are encrypted that come without saying so.
enum S3Encryption {
  /// What every bucket begins with.
  static let standard = XMLElement(
    "ServerSideEncryptionConfiguration",
    children: [
      XMLElement(
        "Rule",
        children: [
          XMLElement(
            "ApplyServerSideEncryptionByDefault", children: [XMLElement("SSEAlgorithm", text: "AES256")]),
          XMLElement("BucketKeyEnabled", text: "false"),
        ])
    ])

  static func refusal(of document: XMLElement) -> AWSError? {
    guard document.children.count == 1, let rule = document.children.first else { return .malformedXML() }
    guard let standard = rule.child("ApplyServerSideEncryptionByDefault") else { return nil }
    if standard.child("KMSMasterKeyID") != nil, standard["SSEAlgorithm"] == "AES256" {
      return .invalidArgument(
        "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse",
        name: "ApplyServerSideEncryptionByDefault", value: standard["SSEAlgorithm"] ?? "")
    }
    return nil
  }

  /// The headers that say of an object how it is encrypted, from its bucket's configuration.
  static func headers(_ document: XMLElement?) -> [(name: String, value: String)] {
    let rule = (document ?? standard).children.first
    guard let standard = rule?.child("ApplyServerSideEncryptionByDefault") else {
      return [("x-amz-server-side-encryption", "AES256")]
    }
    var headers = [("x-amz-server-side-encryption", standard["SSEAlgorithm"] ?? "AES256")]
    if let key = standard["KMSMasterKeyID"] { headers.append(("x-amz-server-side-encryption-aws-kms-key-id", key)) }
    if rule?["BucketKeyEnabled"] == "true", headers[0].1.hasPrefix("aws:kms") {
      headers.append(("x-amz-server-side-encryption-bucket-key-enabled", "true"))
    }
    return headers
  }
}

/// https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html
enum S3Lifecycle {
  static let smallestHeader = "x-amz-transition-default-minimum-object-size"
  static let smallest = ["all_storage_classes_128K", "varies_by_storage_class"]
  /// The name under which a bucket's choice is kept.
  static let smallestKind = "lifecycle-minimum-size"

  private static let mostRules = 1000
  private static let actions = [
    "Expiration", "Transition", "NoncurrentVersionTransition", "NoncurrentVersionExpiration",
    "AbortIncompleteMultipartUpload",
  ]

  static func refusal(of document: XMLElement) -> AWSError? {
    guard document.children.count <= mostRules else { return .malformedXML() }
    let ids = document.children.compactMap { $0["ID"] }
    if let long = ids.first(where: { $0.utf8.count > 255 }) {
      return .invalidArgument("ID length should not exceed allowed limit of 255", name: "ID", value: long)
    }
    if let twice = ids.first(where: { id in ids.count { $0 == id } > 1 }) {
      return .invalidArgument(
        "Rule ID must be unique. Found same ID for more than one rule", name: "ID", value: twice)
    }
    for rule in document.children { if let refusal = refusal(ofRule: rule) { return refusal } }
    return nil
  }

  private static func refusal(ofRule rule: XMLElement) -> AWSError? {
    guard (rule.child("Filter") == nil) != (rule.child("Prefix") == nil) else { return .malformedXML() }
    if let filter = rule.child("Filter") {
      guard filter.children.count <= 1 else { return .malformedXML() }
      if let and = filter.child("And"), and.children.count < 2 { return .malformedXML() }
    }
    guard actions.contains(where: { rule.child($0) != nil }) else {
      return .invalidRequest("At least one action needs to be specified in a rule")
    }
    for action in rule.children where actions.contains(action.name) {
      if let refusal = refusal(ofAction: action) { return refusal }
    }
    return nil
  }

  private static func refusal(ofAction action: XMLElement) -> AWSError? {
    let times = ["Days", "Date", "ExpiredObjectDeleteMarker"].filter { action.child($0) != nil }
    if ["Expiration", "Transition"].contains(action.name), times.count != 1 { return .malformedXML() }
    if action.name.hasSuffix("Transition"), action.child("StorageClass") == nil { return .malformedXML() }
    if action.name.hasPrefix("Noncurrent"), action.child("NoncurrentDays") == nil { return .malformedXML() }
    if action.name.hasPrefix("Abort"), action.child("DaysAfterInitiation") == nil { return .malformedXML() }
    if let date = action["Date"], let moment = Timestamp(s3Date: date), moment.nanoseconds % 86_400_000_000_000 != 0 {
      return .invalidArgument("'Date' must be at midnight GMT", name: "Date", value: date)
    }
    for name in ["Days", "NoncurrentDays", "DaysAfterInitiation"] {
      guard let text = action[name], let days = Int(text) else { continue }
      let lowest = action.name == "Transition" ? 0 : 1
      guard days >= lowest else {
        let word = lowest == 0 ? "nonnegative" : "positive"
        return .invalidArgument(
          "'\(name)' for \(action.name) action must be a \(word) integer", name: name, value: text)
      }
    }
    return nil
  }
}

enum S3Replication {
  static func refusal(
    of document: XMLElement, _ bucket: S3Bucket, _ session: SQLSession
  ) throws(Fault) -> AWSError? {
    guard bucket.versioning == .enabled else {
      return .invalidRequest("Versioning must be 'Enabled' on the bucket to apply a replication configuration")
    }
    for rule in document.children("Rule") {
      guard rule.child("Filter") == nil || rule.child("Prefix") == nil else { return .malformedXML() }
      let arn = rule.child("Destination")?["Bucket"] ?? ""
      guard let name = ARN(arn)?.resource, ARN(arn)?.service == "s3" else {
        return .invalidArgument("Invalid bucket ARN", name: "Bucket", value: arn)
      }
      guard let target = try session.bucket(name) else { return .invalidRequest("Destination bucket must exist.") }
      guard target.versioning == .enabled else {
        return .invalidRequest("Destination bucket must have versioning enabled.")
      }
    }
    return nil
  }
}

enum S3Website {
  static func refusal(of document: XMLElement) -> AWSError? {
    if document.child("RedirectAllRequestsTo") != nil {
      return document.children.count == 1 ? nil : .malformedXML()
    }
    guard let index = document.child("IndexDocument")?["Suffix"] else {
      return .invalidArgument(
        "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty", name: "IndexDocument",
        value: "null")
    }
    guard !index.isEmpty, !index.contains("/") else {
      return .invalidArgument("The IndexDocument Suffix is not well formed", name: "IndexDocument", value: index)
    }
    return nil
  }
}
