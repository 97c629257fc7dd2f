// What has happened to alarms, for thirty days.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarmHistory.html
import MartletCore
import MartletStore
import MartletWire

struct AlarmHistoryItem: Sendable {
  let alarm: String
  /// `MetricAlarm` or `CompositeAlarm`.
  let alarmType: String
  let time: Timestamp
  /// `ConfigurationUpdate`, `StateUpdate` or `Action`.
  let type: String
  let summary: String
  /// JSON.
  let data: String

  func write(to w: inout MemberWriter) {
    w.member("AlarmName", alarm)
    w.member("AlarmType", alarmType)
    w.moment("Timestamp", time)
    w.member("HistoryItemType", type)
    w.member("HistorySummary", String(summary.prefix(255)))
    w.member("HistoryData", String(data.prefix(4095)))
  }
}

enum AlarmHistory {
  /// Seconds for which it is kept.
  static let retention: Int64 = 30 * 86400

  static let migrations = [
    Migration(
      "cloudwatch-history-1",
      [
        """
        CREATE TABLE cloudwatch_history (
          account TEXT NOT NULL, region TEXT NOT NULL, alarm TEXT NOT NULL, alarm_type TEXT NOT NULL,
          time BIGINT NOT NULL, type TEXT NOT NULL, summary TEXT NOT NULL, data TEXT NOT NULL)
        """,
        "CREATE INDEX cloudwatch_history_time ON cloudwatch_history (account, region, time)",
      ])
  ]

  static func insert(_ items: [AlarmHistoryItem], _ place: Place, _ session: SQLSession) throws(Fault) {
    for item in items {
      try session.execute(
        """
        INSERT INTO cloudwatch_history (account, region, alarm, alarm_type, time, type, summary, data)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        """,
        [
          .text(place.account.id), .text(place.region.name), .text(item.alarm), .text(item.alarmType),
          .integer(item.time.nanoseconds), .text(item.type), .text(item.summary), .text(item.data),
        ])
    }
  }

  /// The oldest first.
  static func read(_ place: Place, from start: Timestamp, to end: Timestamp, _ session: SQLSession) throws(Fault)
    -> [AlarmHistoryItem]
  {
    try session.rows(
      "SELECT * FROM cloudwatch_history WHERE account = ? AND region = ? AND time >= ? AND time <= ? ORDER BY time",
      [
        .text(place.account.id), .text(place.region.name), .integer(start.nanoseconds), .integer(end.nanoseconds),
      ]
    ).map { row in
      AlarmHistoryItem(
        alarm: row.text("alarm"), alarmType: row.text("alarm_type"),
        time: Timestamp(nanoseconds: Int64(row.integer("time"))), type: row.text("type"), summary: row.text("summary"),
        data: row.text("data"))
    }
  }

  static func sweep(now: Int64, _ session: SQLSession) throws(Fault) {
    try session.execute(
      "DELETE FROM cloudwatch_history WHERE time < ?", [.integer((now - retention) * 1_000_000_000)])
  }
}
