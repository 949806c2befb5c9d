namespace MlNetDistill.Reporting;

/// <summary>A part of the page with a heading of its own.</summary>
/// <param name="Id">What links point to; the ids of what is in it begin with it.</param>
/// <param name="Title">Its heading, and its line in the contents.</param>
/// <param name="Content">What follows the heading.</param>
internal sealed record Section(string Id, string Title, params object?[] Content);
