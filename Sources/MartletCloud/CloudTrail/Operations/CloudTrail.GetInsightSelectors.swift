// GetInsightSelectors: the insights of a trail, of which there are none.
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetInsightSelectors.html
import MartletCore
import MartletStore
import MartletWire

extension CloudTrail {
  enum GetInsightSelectors: Operation {
    static let route = Route.target("CloudTrail.GetInsightSelectors")

    struct Input: Readable {
      let trail: String?

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        trail = m.string("TrailName")
        _ = m.string("EventDataStore", .length(3, 256), .pattern(Input.pattern))
      }

      private static let pattern = Pattern(#"^[a-zA-Z0-9._/\-:]+$"#)
    }

    typealias Output = CloudTrailNothing

    static func answer(_ input: Input, _ call: Call, _ service: CloudTrailService) async throws(AWSError) -> Output {
      guard let name = input.trail else { throw .insightsNeedTrail() }
      throw .insightsOff(try TrailReference(text: name).find(service.trails, call))
    }
  }
}
