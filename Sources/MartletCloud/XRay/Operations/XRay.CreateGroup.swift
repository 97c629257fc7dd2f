// CreateGroup: gives a filter expression a name.
// https://docs.aws.amazon.com/xray/latest/api/API_CreateGroup.html
import MartletCore
import MartletStore
import MartletWire

extension XRay {
  enum CreateGroup: Operation {
    static let route = Route.rest("XRay.CreateGroup", .post, "/CreateGroup")

    struct Input: Readable {
      let name: String
      let filter: String?
      let insights: XRayInsights?
      let tags: [XRayTag]

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        name = m.required("GroupName", .length(1, 32))
        filter = m.string("FilterExpression")
        insights = XRayInsights(m)
        tags = m.xrayTags()
      }
    }

    struct Output: Writable {
      let group: XRayGroup
      func write(to w: inout Writer) { w.body { $0.object("Group") { group.write(to: &$0) } } }
    }

    static func answer(_ input: Input, _ call: Call, _ xray: XRayService) async throws(AWSError)
      -> Output
    {
      _ = try xray.filter(input.filter ?? "")
      try input.insights?.check()
      var made = XRayGroup(
        key: ResourceKey(place: call.place, name: input.name),
        suffix: randomHex(26, from: xray.world).uppercased())
      made.filter = input.filter
      made.insights = input.insights?.isEnabled ?? false
      made.notifications = input.insights?.notifies ?? false
      made.tags = try XRayTag.merge(input.tags, into: [])
      let group = made
      try await xray.groups.change(group.key) { record throws(AWSError) in
        guard record == nil else { throw .xrayGroupExists() }
        guard xray.groups.newest(in: call.place).count < XRayGroup.most else {
          throw .xrayGroupLimit()
        }
        record = group
      }
      return Output(group: group)
    }
  }
}
