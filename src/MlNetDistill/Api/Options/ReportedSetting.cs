namespace MlNetDistill;

/// <summary>A setting and its value, as text.</summary>
/// <param name="Name">Name of the setting.</param>
/// <param name="Value">Its value.</param>
public sealed record ReportedSetting(string Name, string Value)
{
    /// <summary>Name and value.</summary>
    public override string ToString() => $"{Name}: {Value}";
}
