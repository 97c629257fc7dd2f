// ListBuckets: the buckets of the caller's account, by name.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html
import MartletCore
import MartletWire

extension S3 {
  enum ListBuckets: Operation {
    static let route = Route.rest("S3.ListBuckets", .get, "/")

    struct Input: Readable {
      let prefix: String
      let region: String?
      let after: String?
      let count: Int?

      init(_ r: Reader) throws(AWSError) {
        prefix = r.query("prefix") ?? ""
        region = r.query("bucket-region")
        after = r.query("continuation-token")
        count = r.queryInteger("max-buckets", in: 1...10_000)
      }
    }

    struct Output: Writable {
      let owner: String
      let buckets: [S3Bucket]
      let prefix: String
      let next: String?

      func write(to w: inout Writer) {
        w.xml("ListAllMyBucketsResult") { xml in
          xml.element("Owner") { $0.element("ID", owner) }
          xml.element("Buckets") { xml in
            for bucket in buckets {
              xml.element("Bucket") { xml in
                xml.element("Name", bucket.name)
                xml.element("CreationDate", bucket.created.iso8601)
                xml.element("BucketRegion", bucket.place.region.name)
              }
            }
          }
          if !prefix.isEmpty { xml.element("Prefix", prefix) }
          if let next { xml.element("ContinuationToken", next) }
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ s3: S3Service) async throws(AWSError) -> Output {
      let all = try await s3.catalogue.read { session throws(Fault) in
        .success(try session.buckets(of: call.place.account))
      }
      let wanted = all.filter { bucket in
        bucket.name.hasPrefix(input.prefix) && input.after.map { $0 < bucket.name } ?? true
          && input.region.map { $0 == bucket.place.region.name } ?? true
      }
      let page = Array(wanted.prefix(input.count ?? 10_000))
      return Output(
        owner: call.place.account.canonicalID, buckets: page, prefix: input.prefix,
        next: page.count < wanted.count ? page.last?.name : nil)
    }
  }
}
