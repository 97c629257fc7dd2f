// UpdateGroup: another expression for a group.
// https://docs.aws.amazon.com/xray/latest/api/API_UpdateGroup.html
import MartletCore
import MartletStore
import MartletWire

extension XRay {
  enum UpdateGroup: Operation {
    static let route = Route.rest("XRay.UpdateGroup", .post, "/UpdateGroup")

    struct Input: Readable {
      let group: XRayGroupReference
      let filter: String?
      let insights: XRayInsights?

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        group = XRayGroupReference(m)
        filter = m.string("FilterExpression")
        insights = XRayInsights(m)
      }
    }

    typealias Output = CreateGroup.Output

    static func answer(_ input: Input, _ call: Call, _ xray: XRayService) async throws(AWSError)
      -> Output
    {
      _ = try xray.filter(input.filter ?? "")
      try input.insights?.check()
      let there = try xray.group(input.group, call)
      let group = try await xray.groups.change(there.key) { record throws(AWSError) -> XRayGroup in
        guard var group = record, group.suffix == there.suffix else { throw .xrayNoGroup() }
        if let filter = input.filter { group.filter = filter }
        if let insights = input.insights {
          group.insights = insights.isEnabled
          group.notifications = insights.notifies
        }
        record = group
        return group
      }
      return Output(group: group)
    }
  }
}
