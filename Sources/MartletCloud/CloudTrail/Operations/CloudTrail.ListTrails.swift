// ListTrails: the names of all trails of the account.
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_ListTrails.html
import MartletCore
import MartletStore
import MartletWire

extension CloudTrail {
  enum ListTrails: Operation {
    static let route = Route.target("CloudTrail.ListTrails")

    struct Input: Readable {
      let token: String?
      init(_ r: Reader) throws(AWSError) { token = try r.body().string("NextToken") }
    }

    struct Output: Writable {
      let trails: [Trail]

      func write(to w: inout Writer) {
        w.body { w in
          w.list("Trails", trails) { w, trail in
            w.member("TrailARN", trail.arn)
            w.member("Name", trail.key.name)
            w.member("HomeRegion", trail.key.place.region.name)
          }
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ service: CloudTrailService) async throws(AWSError) -> Output {
      let mine = service.trails.all.filter { $0.key.place.account == call.place.account }
      // All of them are one page: there are five to a region.
      return Output(trails: input.token == nil ? mine.sorted { $0.arn < $1.arn } : [])
    }
  }
}
