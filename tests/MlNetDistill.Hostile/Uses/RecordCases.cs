namespace MlNetDistill.Hostile.Uses;

internal static class RecordCases
{
    public static IEnumerable<Case> All => [];
}
