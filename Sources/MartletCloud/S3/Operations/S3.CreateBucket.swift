// CreateBucket: a bucket in the region that the request was signed for. Names are one space for all accounts.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
import MartletCore
import MartletWire

extension S3 {
  enum CreateBucket: Operation {
    static let route = Route.rest("S3.CreateBucket", .put, "/{Bucket}")

    struct Input: Readable {
      let bucket: String
      /// nil = not in the request.
      let location: String?

      init(_ r: Reader) throws(AWSError) {
        bucket = r.path("Bucket")
        if let element = try S3Document.read(r, "CreateBucketConfiguration", isOptional: true) {
          location = element["LocationConstraint"]
          if element.child("Bucket") != nil || element.child("Location") != nil {
            throw .notImplemented("S3.CreateBucket of directory buckets")
          }
          if element.child("Tags") != nil { throw .notImplemented("S3.CreateBucket with Tags") }
        } else {
          location = nil
        }
        if r.request.header("x-amz-bucket-object-lock-enabled")?.lowercased() == "true" {
          throw .headerNotImplemented("x-amz-bucket-object-lock-enabled")
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
      let bucket = S3Bucket(
        name: input.bucket, place: Place(account: call.place.account, region: region), created: s3.world.now())
      return try await s3.catalogue.write { session throws(Fault) in
        if let there = try session.bucket(bucket.name) {
          guard there.place.account == bucket.place.account else { return .failure(.bucketAlreadyExists(bucket.name)) }
          // The oldest region goes on as if it were new.
          let isForgiven = there.place.region.name == "us-east-1" && region.name == "us-east-1"
          return isForgiven ? .success(Output(bucket: bucket.name)) : .failure(.bucketAlreadyOwned(bucket.name))
        }
        try session.store(bucket)
        return .success(Output(bucket: bucket.name))
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
