namespace TextExample.Data;

/// <summary>A message to a shop.</summary>
internal sealed class Message
{
    public string Text { get; set; } = "";

    /// <summary>What it is about and whether it is done, for example "payment, open"; empty where nobody has read it yet.</summary>
    public string Label { get; set; } = "";
}
