namespace MlNetDistill.Hostile.Uses;

internal static class ViewCases
{
    public static IEnumerable<Case> All => [];
}
