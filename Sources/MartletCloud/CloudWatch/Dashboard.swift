// A dashboard: a text that its owner's tools can draw.
import MartletCore
import MartletStore
import MartletWire

struct Dashboard: Document {
  static let kind = "cloudwatch-dashboard"

  let key: ResourceKey
  let body: String
  let modified: Timestamp

  /// Dashboards are in no region; they are kept in this one.
  static func key(_ name: String, _ place: Place) -> ResourceKey {
    ResourceKey(place: Place(account: place.account, region: Region("us-east-1") ?? place.region), name: name)
  }

  var arn: String { "arn:aws:cloudwatch::\(key.place.account):dashboard/\(key.name)" }

  init(key: ResourceKey, body: String, modified: Timestamp) {
    self.key = key
    self.body = body
    self.modified = modified
  }

  var document: String {
    JSONValue.members(("body", .string(body)), ("modified", .integer(modified.nanoseconds))).text
  }

  init(document: String, key: ResourceKey) throws(Fault) {
    guard let json = try? JSONValue(parsing: document), let body = json["body"]?.string,
      let modified = json["modified"]?.integer
    else { throw Fault("read a dashboard", "\(key.name) is damaged") }
    self.init(key: key, body: body, modified: Timestamp(nanoseconds: Int64(modified)))
  }
}

extension AWSError {
  static func dashboardInvalid(_ message: String, _ details: String) -> AWSError {
    var error = AWSError("DashboardInvalidInputError", status: 400, message)
    let list = JSONValue.array([.members(("DataPath", .string("/")), ("Message", .string(details)))])
    error.documents = [("dashboardValidationMessages", list.text)]
    return error
  }

  static func dashboardMissing(_ name: String) -> AWSError {
    AWSError("DashboardNotFoundError", status: 404, "Dashboard \(name) does not exist")
  }
}
