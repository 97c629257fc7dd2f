// How requests name a trail: by its name or its ARN.
import MartletCore
import MartletStore
import MartletWire

struct TrailReference: Sendable {
  /// As the caller said it.
  let text: String

  /// - Throws: an InvalidTrailNameException that says what is wrong with the name of a trail.
  static func check(_ name: String) throws(AWSError) {
    if name.count < 3 { throw .trailNameTooShort(name.count) }
    if name.count > 128 { throw .trailNameTooLong(name.count) }
    let letters = name.unicodeScalars.map { scalar in
      scalar.isASCII && (scalar.properties.isAlphabetic || (48...57).contains(scalar.value))
    }
    guard letters.first == true else { throw .trailNameStart() }
    guard letters.last == true else { throw .trailNameEnd() }
    let isGood = zip(name.unicodeScalars, letters).allSatisfy { $1 || [".", "-", "_"].contains($0) }
    guard isGood else { throw .trailNameCharacters() }
  }

  /// The key of the trail, whether it is there or not.
  func key(_ call: Call) throws(AWSError) -> ResourceKey {
    guard text.hasPrefix("arn:") else {
      try TrailReference.check(text)
      return ResourceKey(place: call.place, name: text)
    }
    guard let arn = ARN(text), arn.service == "cloudtrail", arn.resource.hasPrefix("trail/"),
      let account = Account(arn.account), let region = Region(arn.region)
    else { throw .cloudTrailARN(text) }
    return ResourceKey(
      place: Place(account: account, region: region), name: String(arn.resource.dropFirst("trail/".count)))
  }

  /// - Throws: a TrailNotFoundException.
  func find(_ trails: Catalogue<Trail>, _ call: Call) throws(AWSError) -> Trail {
    let key = try key(call)
    guard key.place.account == call.place.account, let trail = trails.find(key) else {
      throw .trailNotFound(text, call.place.account)
    }
    return trail
  }

  /// The trail, which must be of the region that the call is made in.
  func findAtHome(_ trails: Catalogue<Trail>, _ call: Call) throws(AWSError) -> Trail {
    let trail = try find(trails, call)
    guard trail.key.place == call.place else { throw .trailOfAnotherRegion(trail) }
    return trail
  }
}

extension CloudTrailService {
  /// What tags are asked of, which is named by its ARN.
  func tagged(_ arn: String, _ call: Call) throws(AWSError) -> Trail {
    guard arn.hasPrefix("arn:") else { throw .cloudTrailARN(arn) }
    let key = try TrailReference(text: arn).key(call)
    guard key.place.account == call.place.account, let trail = trails.find(key) else {
      throw .cloudTrailNoResource(arn)
    }
    return trail
  }
}
