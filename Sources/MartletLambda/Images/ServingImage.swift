// What a function of an image goes on running while its update is under way, and when that has failed.
import MartletCore
import MartletWire

package struct ServingImage: Attachment {
  let configuration: FunctionConfiguration

  init(_ configuration: FunctionConfiguration) { self.configuration = configuration }

  package init?(json: JSONValue) {
    guard let account = json["Account"]?.string.flatMap({ Account($0) }),
      let region = json["Region"]?.string.flatMap({ Region($0) }), let row = json["Version"],
      let configuration = try? FunctionConfiguration(record: row.text, place: Place(account: account, region: region))
    else { return nil }
    self.configuration = configuration
  }

  package var json: JSONValue {
    .members(
      ("Account", .string(configuration.place.account.id)), ("Region", .string(configuration.place.region.name)),
      ("Version", try? JSONValue(parsing: configuration.record)))
  }

  /// Another incarnation is another thing to run; nothing of one changes while it only serves.
  package static func == (a: ServingImage, b: ServingImage) -> Bool {
    a.configuration.incarnation == b.configuration.incarnation
  }
}
