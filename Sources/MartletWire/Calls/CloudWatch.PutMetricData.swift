// The face of CloudWatch's PutMetricData, by which the services of this server tell their figures.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
import MartletCore

/// The namespace of CloudWatch's operations.
package enum CloudWatch {}

extension CloudWatch {
  /// A name and a value that tell one metric from another of the same name.
  package struct Dimension: Sendable, Hashable, Comparable {
    package let name: String
    package let value: String

    package init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }

    package static func < (a: Dimension, b: Dimension) -> Bool { (a.name, a.value) < (b.name, b.value) }
  }

  package enum PutMetricData: Shape {
    package static let route = Route.target("CloudWatch.PutMetricData")

    package struct Datum: Sendable {
      /// What is known of the values.
      package enum Values: Sendable {
        case one(Double)
        /// Each with how often it was.
        case many([(value: Double, count: Double)])
        case set(count: Double, sum: Double, minimum: Double, maximum: Double)
      }

      package let name: String
      package let dimensions: [Dimension]
      /// nil = now.
      package let timestamp: Timestamp?
      package let values: Values
      package let unit: String
      /// 1 or 60 seconds.
      package let resolution: Int

      package init(
        _ name: String, _ dimensions: [Dimension], at timestamp: Timestamp? = nil, _ values: Values,
        unit: String = "None", resolution: Int = 60
      ) {
        self.name = name
        self.dimensions = dimensions
        self.timestamp = timestamp
        self.values = values
        self.unit = unit
        self.resolution = resolution
      }
    }

    package struct Input: Readable, Sendable {
      package let space: String
      package let data: [Datum]

      package init(space: String, data: [Datum]) {
        self.space = space
        self.data = data
      }

      package init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        space = m.required("Namespace", .length(1, 255), CloudWatch.spacePattern)
        var list = m.objects("MetricData") ?? []
        for entity in m.objects("EntityMetricData") ?? [] {
          if let one = entity.object("Entity") { PutMetricData.check(entity: one) }
          list += entity.objects("MetricData") ?? []
        }
        _ = m.bool("StrictEntityValidation")
        if list.isEmpty { m.refuse(.cloudWatchMissing("The parameter MetricData is required.")) }
        if list.count > 1000 {
          m.refuse(.cloudWatchInvalid("The collection MetricData must not have a size greater than 1000."))
        }
        data = list.enumerated().map { Datum($1, number: $0 + 1) }
      }
    }

    private static func check(entity m: Members) {
      _ = m.map("KeyAttributes", keys: [.length(1, 32)], values: [.length(1, 2048)], count: 2...4)
      _ = m.map("Attributes", keys: [.length(1, 256)], values: [.length(1, 2048)], count: 0...10)
    }

    package typealias Output = Empty
  }

  package static let spacePattern = Constraint.pattern(Pattern("[^:].*"))

  package static let units = [
    "Seconds", "Microseconds", "Milliseconds", "Bytes", "Kilobytes", "Megabytes", "Gigabytes", "Terabytes", "Bits",
    "Kilobits", "Megabits", "Gigabits", "Terabits", "Percent", "Count", "Bytes/Second", "Kilobytes/Second",
    "Megabytes/Second", "Gigabytes/Second", "Terabytes/Second", "Bits/Second", "Kilobits/Second", "Megabits/Second",
    "Gigabits/Second", "Terabits/Second", "Count/Second", "None",
  ]
}

extension CloudWatch.PutMetricData.Datum {
  /// - Parameter number: its place in the list, from 1, for the words of errors.
  fileprivate init(_ m: Members, number: Int) {
    let field = "MetricData.member.\(number)"
    name = m.required("MetricName", .length(1, 255))
    dimensions = m.dimensions("Dimensions")
    timestamp = m.time("Timestamp")
    unit = m.string("Unit", .oneOf(CloudWatch.units)) ?? "None"
    resolution = m.integer("StorageResolution", in: 1...Int.max) ?? 60
    if resolution != 1 && resolution != 60 {
      m.refuse(.cloudWatchInvalid("The parameter \(field).StorageResolution must be 1 or 60."))
    }
    let counts = m.decimals("Counts")
    if let list = m.decimals("Values"), !list.isEmpty {
      let weights = counts ?? list.map { _ in 1 }
      if list.count != weights.count {
        m.refuse(
          .cloudWatchInvalid("The parameters \(field).Values and \(field).Counts must be of the same size."))
      } else if list.count > 150 {
        m.refuse(.cloudWatchInvalid("The collection \(field).Values must not have a size greater than 150."))
      }
      values = .many(zip(list, weights).map { ($0, $1) })
      for number in list + weights { check(number, field + ".Values", m) }
    } else if let set = m.object("StatisticValues") {
      let all = -Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude
      let (count, sum) = (set.requiredNumber("SampleCount", in: all), set.requiredNumber("Sum", in: all))
      let (low, high) = (set.requiredNumber("Minimum", in: all), set.requiredNumber("Maximum", in: all))
      values = .set(count: count, sum: sum, minimum: low, maximum: high)
      for number in [count, sum, low, high] { check(number, field + ".StatisticValues", m) }
      if count <= 0 || low > high {
        m.refuse(
          .cloudWatchCombination(
            "The parameters \(field).StatisticValues.Minimum, \(field).StatisticValues.Maximum, "
              + "\(field).StatisticValues.Sum and \(field).StatisticValues.SampleCount are not consistent."))
      }
    } else if let value = m.decimal("Value") {
      values = .one(value)
      check(value, field + ".Value", m)
    } else {
      values = .one(0)
      m.refuse(
        .cloudWatchMissing(
          "At least one of the parameters \(field).Value, \(field).Values or \(field).StatisticValues must be given."))
    }
  }

  /// Numbers have a range, and infinity and NaN are none.
  private func check(_ value: Double, _ field: String, _ m: Members) {
    // From -2^360 to 2^360.
    if !(abs(value) <= 0x1p360) {
      m.refuse(.cloudWatchInvalid("The value \(value) for parameter \(field) is invalid."))
    }
  }
}

extension Members {
  package func dimensions(_ name: String) -> [CloudWatch.Dimension] {
    (objects(name, count: 0...30) ?? []).map {
      .init($0.required("Name", .length(1, 255)), $0.required("Value", .length(1, 1024)))
    }
  }
}

extension AWSError {
  package static func cloudWatchInvalid(_ message: String) -> AWSError {
    AWSError("InvalidParameterValueException", status: 400, message)
  }

  package static func cloudWatchMissing(_ message: String) -> AWSError {
    AWSError("MissingRequiredParameterException", status: 400, message)
  }

  package static func cloudWatchCombination(_ message: String) -> AWSError {
    AWSError("InvalidParameterCombinationException", status: 400, message)
  }
}
