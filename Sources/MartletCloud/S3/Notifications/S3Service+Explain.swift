// Why nobody was told of what happened in a bucket: docs/explain.md.
import MartletCore
import MartletStore
import MartletWire

extension S3Service {
  /// - Parameter text: `BUCKET`, `BUCKET/KEY`, or an ARN of either.
  /// - Returns: nil if there is no such bucket.
  /// - Throws: 500 if the database cannot be read.
  package func explain(notification text: String) async throws(AWSError) -> Explanation? {
    let path = text.firstRange(of: ":::").map { text[$0.upperBound...] } ?? text[...]
    let name = String(path.prefix { $0 != "/" })
    let key = path.count > name.count ? String(path.dropFirst(name.count + 1)) : nil
    let known = try await catalogue.read { session throws(Fault) -> Result<(S3Bucket, S3Notifications?)?, AWSError> in
      guard let bucket = try session.bucket(name) else { return .success(nil) }
      return .success((bucket, try session.document(of: .notification, name).map { S3Notifications($0) }))
    }
    guard let (bucket, notifications) = known else { return nil }
    var found = Explanation("the notifications of the bucket \(bucket.name)")
    guard let notifications, !notifications.rules.isEmpty || notifications.hasEventBridge else {
      found.stops("The bucket has no notification configuration.")
      return found
    }
    if notifications.hasEventBridge { found.says("Every event goes to the default event bus, too.") }
    var fitting = 0
    for rule in notifications.rules {
      found.says("The rule \(rule.id) tells \(rule.arn) of \(rule.events.joined(separator: ", ")).")
      if let key, !key.utf8.starts(with: rule.prefix.utf8) {
        found.warns("The key \(key) does not begin with the prefix \(rule.prefix) of the rule \(rule.id).")
      } else if let key, !key.utf8.reversed().starts(with: rule.suffix.utf8.reversed()) {
        found.warns("The key \(key) does not end with the suffix \(rule.suffix) of the rule \(rule.id).")
      } else {
        fitting += 1
        if rule.hasFilter {
          found.says("It takes keys that begin with \"\(rule.prefix)\" and end with \"\(rule.suffix)\".")
        }
        let waiting = outbox.count(of: rule.arn)
        if waiting > 0 { found.warns("\(waiting) events for \(rule.arn) wait for an attempt or are under way.") }
        if rule.service == .lambda {
          found.calls.append(
            .init(function: rule.arn, principal: "s3.amazonaws.com", source: "arn:aws:s3:::\(bucket.name)"))
        }
      }
    }
    if let key, fitting == 0, !notifications.hasEventBridge { found.stops("No rule is for the key \(key).") }
    return found
  }
}
