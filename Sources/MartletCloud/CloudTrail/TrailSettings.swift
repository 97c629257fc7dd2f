// What CreateTrail and UpdateTrail say of a trail, and what they answer.
import MartletCore
import MartletWire

struct TrailSettings: Sendable {
  let bucket: String?
  private let prefix: String?
  private let topic: String?
  private let isGlobal: Bool?
  private let isMultiRegion: Bool?
  private let validates: Bool?
  private let logGroup: String?
  private let logRole: String?
  private let kmsKey: String?
  private let isOrganization: Bool?

  init(_ m: Members, isNew: Bool) {
    bucket = isNew ? m.required("S3BucketName") : m.string("S3BucketName")
    prefix = m.string("S3KeyPrefix")
    topic = m.string("SnsTopicName")
    isGlobal = m.bool("IncludeGlobalServiceEvents")
    isMultiRegion = m.bool("IsMultiRegionTrail")
    validates = m.bool("EnableLogFileValidation")
    logGroup = m.string("CloudWatchLogsLogGroupArn")
    logRole = m.string("CloudWatchLogsRoleArn")
    kmsKey = m.string("KmsKeyId")
    isOrganization = m.bool("IsOrganizationTrail")
    _ = m.bool("RecursiveLogging")
  }

  /// What is not said stays; what is empty is taken away.
  func apply(to trail: inout Trail) throws(AWSError) {
    func said(_ text: String?, or old: String?) -> String? { text.map { $0.isEmpty ? nil : $0 } ?? old }
    if isOrganization == true { throw .cloudTrailOrganization() }
    trail.bucket = bucket ?? trail.bucket
    trail.prefix = said(prefix, or: trail.prefix)
    trail.topic = said(topic, or: trail.topic)
    trail.isMultiRegion = isMultiRegion ?? trail.isMultiRegion
    trail.isGlobal = isGlobal ?? (isMultiRegion == true ? true : trail.isGlobal)
    trail.validates = validates ?? trail.validates
    trail.logGroup = said(logGroup, or: trail.logGroup)
    trail.logRole = said(logRole, or: trail.logRole)
    trail.kmsKey = said(kmsKey, or: trail.kmsKey)
    guard (3...63).contains(trail.bucket.utf8.count) else { throw .cloudTrailBucketName(trail.bucket) }
    if let prefix = trail.prefix, prefix.count > 200 || prefix.hasSuffix("/") { throw .cloudTrailPrefix() }
    if trail.isMultiRegion, !trail.isGlobal { throw .cloudTrailNeedsGlobal() }
    guard (trail.logGroup == nil) == (trail.logRole == nil) else { throw .cloudTrailNeedsRole() }
    if let group = trail.logGroup, CloudTrailService.logGroup(group) == nil { throw .cloudTrailLogGroup(group) }
  }

  struct Output: Writable {
    let trail: Trail

    func write(to w: inout Writer) { w.body { trail.write(to: &$0, isNews: true) } }
  }
}

extension Trail {
  /// - Parameter isNews: as it is answered by what changes it.
  func write(to w: inout MemberWriter, isNews: Bool = false) {
    w.member("Name", key.name)
    w.member("S3BucketName", bucket)
    w.member("S3KeyPrefix", prefix)
    w.member("SnsTopicName", topic)
    w.member("SnsTopicARN", topicARN)
    w.member("IncludeGlobalServiceEvents", isGlobal)
    w.member("IsMultiRegionTrail", isMultiRegion)
    if !isNews { w.member("HomeRegion", key.place.region.name) }
    w.member("TrailARN", arn)
    w.member("LogFileValidationEnabled", validates)
    w.member("CloudWatchLogsLogGroupArn", logGroup)
    w.member("CloudWatchLogsRoleArn", logRole)
    w.member("KmsKeyId", kmsKey)
    if !isNews {
      w.member("HasCustomEventSelectors", !selectors.isEmpty || !advanced.isEmpty)
      w.member("HasInsightSelectors", false)
    }
    w.member("IsOrganizationTrail", false)
  }
}

extension CloudTrailService {
  /// - Throws: the bucket or the topic is not there.
  func checkTargets(of trail: Trail, _ call: Call) async throws(AWSError) {
    do throws(AWSError) {
      // Nothing has this name: what is wanted is what is missing.
      _ = try await door.call(
        S3.GetObject.self, .init(bucket: trail.bucket, key: trail.folder), call.by("cloudtrail.amazonaws.com"))
    } catch {
      if error.code == "NoSuchBucket" { throw .cloudTrailNoBucket(trail.bucket) }
    }
    guard let topic = trail.topicARN else { return }
    do throws(AWSError) {
      _ = try await door.call(SNS.GetTopicAttributes.self, .init(topic: topic), call.by("cloudtrail.amazonaws.com"))
    } catch {
      throw .cloudTrailTopic(trail.topic ?? "")
    }
  }
}
