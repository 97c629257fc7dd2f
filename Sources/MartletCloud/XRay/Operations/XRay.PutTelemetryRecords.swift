// PutTelemetryRecords: what a daemon says of itself. Checked, and dropped: nobody can ask for it.
// https://docs.aws.amazon.com/xray/latest/api/API_PutTelemetryRecords.html
import MartletCore
import MartletWire

extension XRay {
  enum PutTelemetryRecords: Operation {
    static let route = Route.rest("XRay.PutTelemetryRecords", .post, "/TelemetryRecords")

    struct Input: Readable {
      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        for record in m.requiredObjects("TelemetryRecords") {
          _ = record.requiredNumber("Timestamp", in: XRayTimes.range)
          for count in ["Received", "Sent", "Spillover", "Rejected"] {
            _ = record.integer("Segments\(count)Count", in: Int.min...Int.max)
          }
          guard let errors = record.object("BackendConnectionErrors") else { continue }
          for count in [
            "Timeout", "ConnectionRefused", "HTTPCode4XX", "HTTPCode5XX", "UnknownHost", "Other",
          ] {
            _ = errors.integer("\(count)Count", in: Int.min...Int.max)
          }
        }
        _ = m.string("EC2InstanceId", .length(nil, 20))
        _ = m.string("Hostname", .length(nil, 255))
        _ = m.string("ResourceARN", .length(nil, 500))
      }
    }

    typealias Output = XRayNothing

    static func answer(_ input: Input, _ call: Call, _ xray: XRayService) async throws(AWSError)
      -> Output
    { Output() }
  }
}
