namespace MlNetDistill.Hostile.Uses;

internal static class AcceptanceCases
{
    public static IEnumerable<Case> All => [];
}
