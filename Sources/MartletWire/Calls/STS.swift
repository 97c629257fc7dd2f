// AWS Security Token Service: the namespace of its operations, which are answered in MartletCloud.
package enum STS {}
