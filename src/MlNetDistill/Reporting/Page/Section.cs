namespace MlNetDistill.Reporting;

/// <summary>A part of the page with a heading of its own. It is folded, so that only its heading is seen until a reader opens it, unless it says otherwise.</summary>
/// <param name="Id">What links point to; the ids of everything in it begin with it.</param>
/// <param name="Title">Its heading.</param>
/// <param name="Content">What follows the heading.</param>
internal sealed record Section(string Id, string Title, params object?[] Content)
{
    /// <summary>Whether it is folded at first.</summary>
    public bool IsFolded { get; init; } = true;

    /// <summary>Whether its heading is for screen readers only.</summary>
    public bool HasHiddenHeading { get; init; }
}
