namespace MlNetDistill.Reporting;

/// <summary>A part of the page with its own heading; by default folded, so that only its heading is visible until a reader opens it.</summary>
/// <param name="Id">Id for links; a prefix of all ids in the section.</param>
/// <param name="Title">The heading.</param>
/// <param name="Content">The content after the heading.</param>
internal sealed record Section(string Id, string Title, params object?[] Content)
{
    /// <summary>Whether it is folded at first.</summary>
    public bool IsFolded { get; init; } = true;

    /// <summary>Whether its heading is for screen readers only.</summary>
    public bool HasHiddenHeading { get; init; }
}
