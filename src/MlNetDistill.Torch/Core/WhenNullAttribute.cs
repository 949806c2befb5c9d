namespace MlNetDistill.Core;

/// <summary>What a setting that is null means, in the text of its settings.</summary>
/// <param name="text">The text in the place of a value.</param>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Parameter)]
internal sealed class WhenNullAttribute(string text) : Attribute
{
    /// <summary>The text in the place of a value.</summary>
    public string Text { get; } = text;
}
