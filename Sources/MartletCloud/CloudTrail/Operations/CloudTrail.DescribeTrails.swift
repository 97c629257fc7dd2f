// DescribeTrails: the settings of trails: of all that log events of the region, or of those that are named.
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_DescribeTrails.html
import MartletCore
import MartletStore
import MartletWire

extension CloudTrail {
  enum DescribeTrails: Operation {
    static let route = Route.target("CloudTrail.DescribeTrails")

    struct Input: Readable {
      let names: [String]
      let includesShadows: Bool

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        names = m.strings("trailNameList") ?? []
        includesShadows = m.bool("includeShadowTrails") ?? true
      }
    }

    struct Output: Writable {
      let trails: [Trail]
      func write(to w: inout Writer) { w.body { $0.list("trailList", trails) { $1.write(to: &$0) } } }
    }

    static func answer(_ input: Input, _ call: Call, _ service: CloudTrailService) async throws(AWSError) -> Output {
      // A trail of all regions casts its shadow into those that it was not made in.
      let shadows = service.trails.all.filter {
        $0.isMultiRegion && $0.key.place.account == call.place.account && $0.key.place != call.place
      }
      let here = service.trails.list(call.place)
      guard !input.names.isEmpty else {
        let seen = here + (input.includesShadows ? shadows : [])
        return Output(trails: seen.sorted { $0.key.name < $1.key.name })
      }
      var found: [Trail] = []
      for name in input.names {
        let key = try TrailReference(text: name).key(call)
        // What is not there is left out.
        if let trail = (here + shadows).first(where: {
          name.hasPrefix("arn:") ? $0.key == key : $0.key.name == key.name
        }) {
          found.append(trail)
        }
      }
      return Output(trails: found)
    }
  }
}
