// GetGroup: a group by its name or ARN.
// https://docs.aws.amazon.com/xray/latest/api/API_GetGroup.html
import MartletCore
import MartletWire

extension XRay {
  enum GetGroup: Operation {
    static let route = Route.rest("XRay.GetGroup", .post, "/GetGroup")

    struct Input: Readable {
      let group: XRayGroupReference
      init(_ r: Reader) throws(AWSError) { group = XRayGroupReference(try r.body()) }
    }

    typealias Output = CreateGroup.Output

    static func answer(_ input: Input, _ call: Call, _ xray: XRayService) async throws(AWSError)
      -> Output
    {
      Output(group: try xray.group(input.group, call))
    }
  }
}
