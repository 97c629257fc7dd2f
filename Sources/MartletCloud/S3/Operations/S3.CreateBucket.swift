// CreateBucket: a bucket in the region that the request was signed for. Names are one space for all accounts.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
import MartletCore
import MartletStore
import MartletWire

extension S3 {
  enum CreateBucket: Operation {
    static let route = Route.rest("S3.CreateBucket", .put, "/{Bucket}")

    struct Input: Readable {
      let bucket: String
      /// nil = not in the request.
      let location: String?
      let tags: S3Tags
      let hasLock: Bool
      let ownership: String
      let list: S3AccessList

      init(_ r: Reader) throws(AWSError) {
        bucket = r.path("Bucket")
        if let element = try S3Document.read(r, "CreateBucketConfiguration", isOptional: true) {
          location = element["LocationConstraint"]
          if element.child("Bucket") != nil || element.child("Location") != nil {
            throw .notImplemented("S3.CreateBucket of directory buckets")
          }
          tags = S3Tags(
            (element.child("Tags")?.children("Tag") ?? []).map { .init(key: $0["Key"] ?? "", value: $0["Value"] ?? "") }
          )
          if let refusal = tags.refusal(isObject: false) { throw refusal }
        } else {
          location = nil
          tags = S3Tags()
        }
        hasLock = r.request.header("x-amz-bucket-object-lock-enabled")?.lowercased() == "true"
        ownership = r.request.header("x-amz-object-ownership") ?? "BucketOwnerEnforced"
        guard ["BucketOwnerPreferred", "ObjectWriter", "BucketOwnerEnforced"].contains(ownership) else {
          throw .invalidArgument(
            "Invalid x-amz-object-ownership header", name: "x-amz-object-ownership", value: ownership)
        }
        list = try S3AccessList(r.request)
        if ownership == "BucketOwnerEnforced", !list.isEmpty, list.canned != "private" {
          throw .ownershipForbidsLists()
        }
        try S3Headers.check(r.request)
      }
    }

    struct Output: Writable {
      let bucket: String

      func write(to w: inout Writer) {
        w.isTyped = false
        w.header("Location", "/\(bucket)")
      }
    }

    static func answer(_ input: Input, _ call: Call, _ s3: S3Service) async throws(AWSError) -> Output {
      guard S3Bucket.isValid(input.bucket) else { throw .invalidBucketName(input.bucket) }
      let region = try checked(input.location ?? "", call.place.region)
      var bucket = S3Bucket(
        name: input.bucket, place: Place(account: call.place.account, region: region), created: s3.world.now())
      if input.hasLock { bucket.versioning = .enabled }
      let made = bucket
      return try await s3.catalogue.write { session throws(Fault) in
        let bucket = made
        if let there = try session.bucket(bucket.name) {
          guard there.place.account == bucket.place.account else { return .failure(.bucketAlreadyExists(bucket.name)) }
          // The oldest region goes on as if it were new.
          let isForgiven = there.place.region.name == "us-east-1" && region.name == "us-east-1"
          return isForgiven ? .success(Output(bucket: bucket.name)) : .failure(.bucketAlreadyOwned(bucket.name))
        }
        try session.store(bucket)
        try keep(input, of: bucket, session)
        return .success(Output(bucket: bucket.name))
      }
    }

    /// What every bucket has from its beginning, and what the request says of this one.
    private static func keep(_ input: Input, of bucket: S3Bucket, _ session: SQLSession) throws(Fault) {
      let rule = XMLElement("Rule", children: [XMLElement("ObjectOwnership", text: input.ownership)])
      try session.keep(
        XMLElement("OwnershipControls", children: [rule]).document, as: S3Setting.ownershipControls.kind,
        of: bucket.name)
      let blocks = ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"]
      try session.keep(
        XMLElement("PublicAccessBlockConfiguration", children: blocks.map { XMLElement($0, text: "true") }).document,
        as: S3Setting.publicAccessBlock.kind, of: bucket.name)
      if input.hasLock {
        try session.keep(S3Lock.enabled.document, as: S3Setting.objectLock.kind, of: bucket.name)
      }
      if !input.tags.all.isEmpty {
        try session.keep(input.tags.document.document, as: S3Setting.tagging.kind, of: bucket.name)
      }
      if !input.list.isEmpty {
        try session.keep(
          input.list.policy(owner: bucket.place.account).document, as: S3AccessList.kind, of: bucket.name)
      }
    }

    /// The region that the bucket shall be in: the one that the request was sent to, which must be named unless it is
    /// the oldest; through the oldest one every other can be reached.
    private static func checked(_ location: String, _ here: Region) throws(AWSError) -> Region {
      if here.name == "us-east-1" {
        if location.isEmpty { return here }
        guard location != "us-east-1", let region = Region(location == "EU" ? "eu-west-1" : location) else {
          throw .invalidLocation(location)
        }
        return region
      }
      guard location == here.name || (location == "EU" && here.name == "eu-west-1") else {
        throw .illegalLocation(location, here: here)
      }
      return here
    }
  }
}
