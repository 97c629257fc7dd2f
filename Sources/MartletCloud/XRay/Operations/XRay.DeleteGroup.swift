// DeleteGroup: a group goes; its traces stay.
// https://docs.aws.amazon.com/xray/latest/api/API_DeleteGroup.html
import MartletCore
import MartletStore
import MartletWire

extension XRay {
  enum DeleteGroup: Operation {
    static let route = Route.rest("XRay.DeleteGroup", .post, "/DeleteGroup")

    typealias Input = GetGroup.Input
    typealias Output = XRayNothing

    static func answer(_ input: Input, _ call: Call, _ xray: XRayService) async throws(AWSError)
      -> Output
    {
      let there = try xray.group(input.group, call)
      try await xray.groups.change(there.key) { record throws(AWSError) in
        guard record?.suffix == there.suffix else { throw .xrayNoGroup() }
        record = nil
      }
      return Output()
    }
  }
}
