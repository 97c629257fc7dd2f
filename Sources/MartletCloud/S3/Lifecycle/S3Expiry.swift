// Which versions and uploads the rules of a bucket's lifecycle want deleted by now. Decides; S3Sweep.swift acts.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html
import MartletCore
import MartletWire

struct S3Expiry: Sendable {
  struct Rule: Sendable {
    fileprivate var id = ""
    fileprivate var prefix = ""
    fileprivate var tags: [S3Tags.Tag] = []
    /// Bytes, both exclusive.
    fileprivate var above: Int?
    fileprivate var below: Int?
    fileprivate var days: Int?
    fileprivate var date: Timestamp?
    fileprivate var dropsMarkers = false
    fileprivate var noncurrentDays: Int?
    fileprivate var noncurrentKept = 0
    fileprivate var uploadDays: Int?
  }

  /// Those that are on.
  let rules: [Rule]

  /// - Parameter document: one that was taken.
  init(_ document: XMLElement) {
    rules = document.children("Rule").filter { $0["Status"] == "Enabled" }.map { Rule($0) }
  }

  private static let day: Int64 = 86_400_000_000_000

  /// The first midnight that is so many days or more after a moment.
  static func midnight(_ days: Int, after moment: Timestamp) -> Timestamp {
    let due = moment.nanoseconds + Int64(min(days, 36_500)) * day
    return Timestamp(nanoseconds: (due + day - 1) / day * day)
  }

  /// Of all versions of one key, the newest first, those to be deleted: nil stands for what GET finds.
  func deletions(of versions: [S3Object], at now: Timestamp) -> [String?] {
    guard let newest = versions.first else { return [] }
    var list: [String?] = []
    if newest.isMarker {
      // A rule that makes markers clears them away when nothing is behind them any more.
      let isDue = rules.contains { $0.dropsMarkers ? $0.concerns(newest) : $0.expires(newest, at: now) }
      if versions.count == 1, isDue {
        list.append(newest.version)
      }
    } else if rules.contains(where: { $0.expires(newest, at: now) }) {
      list.append(nil)
    }
    for i in versions.indices.dropFirst() {
      // A version is old from the moment when the next one came.
      let since = versions[i - 1].modified
      let isDue = rules.contains { rule in
        guard let days = rule.noncurrentDays, rule.concerns(versions[i]), i > rule.noncurrentKept else { return false }
        return S3Expiry.midnight(days, after: since) <= now
      }
      if isDue { list.append(versions[i].version) }
    }
    return list
  }

  /// When what GET finds will be deleted, as `x-amz-expiration` says it.
  func expiration(of object: S3Object) -> String? {
    let due = rules.compactMap { rule in rule.end(of: object).map { (end: $0, id: rule.id) } }
    guard let first = due.min(by: { $0.end < $1.end }) else { return nil }
    return "expiry-date=\"\(first.end.httpDate)\", rule-id=\"\(Percent.encode(first.id))\""
  }

  /// True if an upload that is under way is to be given up.
  func ends(uploadOf key: String, begun: Timestamp, at now: Timestamp) -> Bool {
    rules.contains { rule in
      guard let days = rule.uploadDays, rule.tags.isEmpty, key.utf8.starts(with: rule.prefix.utf8) else { return false }
      return S3Expiry.midnight(days, after: begun) <= now
    }
  }
}

extension S3Expiry.Rule {
  fileprivate init(_ rule: XMLElement) {
    id = rule["ID"] ?? ""
    prefix = rule["Prefix"] ?? ""
    let filter = rule.child("Filter").map { $0.child("And") ?? $0 }
    if let filter {
      prefix = filter["Prefix"] ?? prefix
      tags = filter.children("Tag").map { S3Tags.Tag(key: $0["Key"] ?? "", value: $0["Value"] ?? "") }
      above = filter["ObjectSizeGreaterThan"].flatMap { Int($0) }
      below = filter["ObjectSizeLessThan"].flatMap { Int($0) }
    }
    let expiration = rule.child("Expiration")
    days = expiration?["Days"].flatMap { Int($0) }
    date = expiration?["Date"].flatMap { Timestamp(s3Date: $0) }
    dropsMarkers = expiration?["ExpiredObjectDeleteMarker"] == "true"
    let noncurrent = rule.child("NoncurrentVersionExpiration")
    noncurrentDays = noncurrent?["NoncurrentDays"].flatMap { Int($0) }
    noncurrentKept = noncurrent?["NewerNoncurrentVersions"].flatMap { Int($0) } ?? 0
    uploadDays = rule.child("AbortIncompleteMultipartUpload")?["DaysAfterInitiation"].flatMap { Int($0) }
  }

  fileprivate func concerns(_ object: S3Object) -> Bool {
    guard object.key.utf8.starts(with: prefix.utf8), tags.allSatisfy({ object.tags.all.contains($0) }) else {
      return false
    }
    if let above, object.size <= above { return false }
    if let below, object.size >= below { return false }
    return true
  }

  fileprivate func expires(_ object: S3Object, at now: Timestamp) -> Bool { end(of: object).map { $0 <= now } ?? false }

  /// When the rule ends an object that is the newest of its key; nil = never.
  fileprivate func end(of object: S3Object) -> Timestamp? {
    guard concerns(object) else { return nil }
    return days.map { S3Expiry.midnight($0, after: object.modified) } ?? date
  }
}
