// AWS Identity and Access Management: the namespace of its operations, which are answered in MartletCloud.
package enum IAM {}
